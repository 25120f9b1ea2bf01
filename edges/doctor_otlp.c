/* An empty export request to each endpoint: it must be there, and it must take us. */
#include "edges/doctor.h"
#include "edges/exit_code.h"
#include "edges/otlp_env.h"

#include <curl/curl.h>
#include <stdio.h>

/* What an answer means, the first line that matches. An empty request is a valid one (all fields are optional), yet
   400 is from somebody who has read it. */
static const struct meaning {
    long low, high;
    enum doctor_state state;
    const char *mend;
} meanings[] = {
    {200, 299, DOCTOR_OK, ""},
    {400, 400, DOCTOR_OK, ""},
    {401, 403, DOCTOR_FAILED, "the backend does not know us: set OTEL_EXPORTER_OTLP_HEADERS"},
    {404, 405, DOCTOR_FAILED, "something else answers there: an OTLP/HTTP endpoint (port 4318) is needed"},
    {415, 415, DOCTOR_FAILED, "set OTEL_EXPORTER_OTLP_PROTOCOL to the encoding the backend takes"},
    {429, 429, DOCTOR_WARNING, "the backend has too much to do; what it does not take in time is lost"},
    {502, 504, DOCTOR_WARNING, "the backend is not ready; what it does not take in time is lost"},
    {100, 999, DOCTOR_FAILED, "an OTLP/HTTP endpoint (port 4318) is needed"},
};

static size_t drop_body(char *bytes, size_t size, size_t count, void *owner)
{
    (void)bytes;
    (void)owner;
    return size * count;
}

static struct curl_slist *headers_of(const struct otlp_signal_env *env)
{
    struct curl_slist *list = curl_slist_append(NULL, env->json ? "Content-Type: application/json"
                                                                : "Content-Type: application/x-protobuf");
    for (size_t i = 0; i < env->header_count; i++)
        list = curl_slist_append(list, env->headers[i]);
    return list;
}

/* The HTTP status, or 0 with `error`. */
static long post_nothing(const struct otlp_signal_env *env, char error[CURL_ERROR_SIZE])
{
    long status = 0;
    const char *body = env->json ? "{}" : "";
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = headers_of(env);
    ASSERT(easy && headers);
    error[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)DOCTOR_LIMIT_MS);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    if (env->certificate)
        curl_easy_setopt(easy, CURLOPT_CAINFO, env->certificate);
    if (env->client_certificate)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, env->client_certificate);
    if (env->client_key)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, env->client_key);
    CURLcode result = curl_easy_setopt(easy, CURLOPT_URL, env->url);
    if (result == CURLE_OK)
        result = curl_easy_perform(easy);
    if (result == CURLE_OK)
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    else if (!error[0])
        snprintf(error, CURL_ERROR_SIZE, "%s", curl_easy_strerror(result));
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    return status;
}

static void look_at_signal(struct doctor *doctor, const char *check, const struct otlp_signal_env *env)
{
    char error[CURL_ERROR_SIZE];
    long status = post_nothing(env, error);
    struct doctor_finding *finding = doctor_found(doctor, DOCTOR_OK, check, "an empty request to ");
    if (!finding)
        return;
    text_str(&finding->tried, env->url);
    text_lit(&finding->tried, ": ");
    if (!status) {
        text_str(&finding->tried, error);
        doctor_fail(finding, EXIT_CODE_DEPENDENCY,
                    "start the collector, or unset OTEL_EXPORTER_OTLP_ENDPOINT and leave out --otlp");
        return;
    }
    text_lit(&finding->tried, "HTTP ");
    text_i64(&finding->tried, status);
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
        const struct meaning *meaning = &meanings[i];
        if (status < meaning->low || status > meaning->high)
            continue;
        if (meaning->state == DOCTOR_FAILED)
            doctor_fail(finding, EXIT_CODE_DEPENDENCY, meaning->mend);
        else if (meaning->state == DOCTOR_WARNING)
            doctor_warn(finding, meaning->mend);
        return;
    }
}

/* A line each, for stderr: a variable that cannot be read. */
static void pass_on(struct doctor *doctor, const char *check, struct text *warnings, bool fatal)
{
    static const char program[] = "doorbuster: ";
    char *line = (char *)text_c(warnings);
    while (*line) {
        size_t len = strcspn(line, "\n");
        char *next = line + len + (line[len] == '\n');
        line[len] = '\0';
        if (!strncmp(line, program, sizeof program - 1))
            line += sizeof program - 1;
        struct doctor_finding *finding = doctor_found(doctor, DOCTOR_OK, check, line);
        if (fatal && !*next)
            doctor_fail(finding, EXIT_CODE_USAGE, "give --otlp a URL, as in http://127.0.0.1:4318");
        else
            doctor_warn(finding, "the default holds; set the variable to what is expected, or unset it");
        line = next;
    }
}

void doctor_look_at_otlp(struct doctor *doctor, const char *check)
{
    struct otlp_env env;
    struct text warnings = {0};
    bool good = otlp_env_read(
        &env, &(struct otlp_env_options){.endpoint = doctor->options.otlp, .warnings = &warnings});
    bool wanted = good && otlp_env_wanted(&env);
    if (!good || wanted)
        pass_on(doctor, check, &warnings, !good);
    if (good && !wanted)
        doctor_found(doctor, DOCTOR_SKIPPED, check, "no endpoint is set");
    if (wanted)
        curl_global_init(CURL_GLOBAL_DEFAULT);
    for (int signal = 0; wanted && signal < OTLP_SIGNALS; signal++)
        if (env.signals[signal].wanted && env.signals[signal].url)
            look_at_signal(doctor, check, &env.signals[signal]);
    if (wanted)
        curl_global_cleanup();
    otlp_env_fini(&env);
    text_fini(&warnings);
}
