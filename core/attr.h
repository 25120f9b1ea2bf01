/*
 * attr: the attributes that spans, logs and metrics carry. The list below is the contract: every name
 * the program emits stands here, once.
 *
 * Names of the OpenTelemetry semantic conventions (1.44) and, after them, the incident's own. Values
 * are not copied: text must outlive the record it is on (a literal, the scenario, or a body held).
 */
#ifndef CORE_ATTR_H
#define CORE_ATTR_H

#include "core/base.h"

#define ATTR_LIST(X)                                                                                         \
    X(SERVICE_PEER_NAME, "service.peer.name")                                                                \
    X(PEER_SERVICE, "peer.service")                                                                          \
    X(HTTP_METHOD, "http.request.method")                                                                    \
    X(HTTP_ROUTE, "http.route")                                                                              \
    X(HTTP_STATUS, "http.response.status_code")                                                              \
    X(URL_SCHEME, "url.scheme")                                                                              \
    X(URL_PATH, "url.path")                                                                                  \
    X(URL_QUERY, "url.query")                                                                                \
    X(URL_FULL, "url.full")                                                                                  \
    X(URL_TEMPLATE, "url.template")                                                                          \
    X(SERVER_ADDRESS, "server.address")                                                                      \
    X(SERVER_PORT, "server.port")                                                                            \
    X(NET_PEER_NAME, "net.peer.name")                                                                        \
    X(NET_PEER_PORT, "net.peer.port")                                                                        \
    X(ERROR_TYPE, "error.type")                                                                              \
    X(DB_SYSTEM_NAME, "db.system.name")                                                                      \
    X(DB_SYSTEM, "db.system")                                                                                \
    X(DB_NAMESPACE, "db.namespace")                                                                          \
    X(DB_NAME, "db.name")                                                                                    \
    X(DB_OPERATION_NAME, "db.operation.name")                                                                \
    X(DB_OPERATION, "db.operation")                                                                          \
    X(DB_COLLECTION_NAME, "db.collection.name")                                                              \
    X(DB_SQL_TABLE, "db.sql.table")                                                                          \
    X(DB_QUERY_TEXT, "db.query.text")                                                                        \
    X(DB_STATEMENT, "db.statement")                                                                          \
    X(DB_STATUS, "db.response.status_code")                                                                  \
    X(DB_POOL_NAME, "db.client.connection.pool.name")                                                        \
    X(DB_CONNECTION_STATE, "db.client.connection.state")                                                     \
    X(SESSION_ID, "session.id")                                                                              \
    X(METRIC_OVERFLOW, "otel.metric.overflow")                                                               \
    X(OTEL_COMPONENT_NAME, "otel.component.name")                                                            \
    X(OTEL_COMPONENT_TYPE, "otel.component.type")                                                            \
    X(OTEL_SAMPLING_RESULT, "otel.span.sampling_result")                                                     \
    X(TRAFFIC_TYPE, "traffic.type")                                                                          \
    X(ENDPOINT_TYPE, "endpoint.type")                                                                        \
    X(DEMO_MINUTE, "demo.minute")                                                                            \
    X(DEMO_PHASE, "demo.phase")                                                                              \
    X(DEMO_FAILURE_RATE, "demo.failure_rate")                                                                \
    X(DB_INDEX_USED, "db.index_used")                                                                        \
    X(DB_SIM_SLOW, "db.simulation.slow_query_enabled")                                                       \
    X(DB_SIM_DELAY_MS, "db.simulation.delay_ms")                                                             \
    X(DB_FULL_SCAN, "db.full_table_scan")                                                                    \
    X(DB_MISSING_INDEX, "db.missing_index")                                                                  \
    X(DB_ROWS_SCANNED, "db.rows_scanned")                                                                    \
    X(DB_SLOW_QUERY, "db.slow_query")                                                                        \
    X(DB_QUERY_MS, "db.query.duration_ms")                                                                   \
    X(DB_LOCK_WAIT_MS, "db.lock.wait_time_ms")                                                               \
    X(DB_ACTIVE_QUERIES, "db.active_queries")                                                                \
    X(POOL_SIZE, "db.connection_pool.size")                                                                  \
    X(POOL_ACTIVE, "db.connection_pool.active")                                                              \
    X(POOL_UTILIZATION, "db.connection_pool.utilization_percent")                                            \
    X(POOL_WAIT_MS, "db.connection_pool.wait_time_ms")                                                       \
    X(POOL_EXHAUSTED, "db.connection_pool.exhausted")                                                        \
    X(CHECKOUT_FAILED, "checkout.failed")                                                                    \
    X(CHECKOUT_REASON, "checkout.failure_reason")                                                            \
    X(CHECKOUT_TOTAL, "checkout.total")                                                                      \
    X(ORDER_ID, "order.id")                                                                                  \
    X(USER_ID, "user.id")                                                                                    \
    X(SHOP_OUTCOME, "shop.outcome")                                                                          \
    X(LOAD_STREAM, "load.stream")                                                                            \
    X(STATEMENT_NAME, "db.statement.name")                                                                   \
    X(CACHE_OUTCOME, "cache.outcome")                                                                        \
    X(LOG_BODY, "log.body")                                                                                  \
    X(MAILBOX_ACTOR, "actor.name")                                                                           \
    X(LOG_CATEGORY, "category")                                                                              \
    X(LOG_QUERY_MS, "query_duration_ms")                                                                     \
    X(LOG_DEMO_MINUTE, "demo_minute")                                                                        \
    X(LOG_RECOMMENDED_INDEX, "recommended_index")                                                            \
    X(LOG_MAX_CONNECTIONS, "max_connections")                                                                \
    X(LOG_ACTIVE_CONNECTIONS, "active_connections")                                                          \
    X(LOG_WAIT_MS, "wait_time_ms")                                                                           \
    X(LOG_REJECTED, "rejected_count")                                                                        \
    X(LOG_FAILURE_RATE, "failure_rate")                                                                      \
    X(LOG_RECOMMENDATION, "recommendation")                                                                  \
    X(LOG_CONNECTIONS_HELD, "connections_held")                                                              \
    X(LOG_POOL_MAX, "pool_max")                                                                              \
    X(LOG_UTILIZATION, "utilization_percent")                                                                \
    X(LOG_SIMULATION_TYPE, "simulation_type")                                                                \
    X(LOG_DELAY_MS, "delay_ms")                                                                              \
    X(LOG_ACTION, "action")                                                                                  \
    X(LOG_PHASE, "phase")                                                                                    \
    X(LOG_FAULT, "fault")                                                                                    \
    X(LOG_EVIDENCE, "evidence")

enum attr_key {
#define ATTR_ENUM(id, name) ATTR_##id,
    ATTR_LIST(ATTR_ENUM)
#undef ATTR_ENUM
        ATTR_COUNT
};

enum attr_type { ATTR_TEXT, ATTR_INT, ATTR_REAL, ATTR_BOOL };

struct attr {
    uint16_t key;
    uint8_t type;
    uint32_t len; /* bytes of text */
    union {
        const char *text;
        int64_t integer;
        double real;
        bool truth;
    };
};

/* A bounded list; what does not fit is counted, not kept. */
enum { ATTRS_MAX = 24 };

struct attrs {
    uint16_t count, dropped;
    struct attr list[ATTRS_MAX];
};

const char *attr_name(enum attr_key key);

struct attr *attrs_slot(struct attrs *attrs, enum attr_key key); /* NULL when full */
void attrs_text(struct attrs *attrs, enum attr_key key, const char *text); /* NULL text: no attribute */
void attrs_text_len(struct attrs *attrs, enum attr_key key, const char *text, size_t len);
void attrs_int(struct attrs *attrs, enum attr_key key, int64_t value);
void attrs_real(struct attrs *attrs, enum attr_key key, double value);
void attrs_bool(struct attrs *attrs, enum attr_key key, bool value);

#endif
