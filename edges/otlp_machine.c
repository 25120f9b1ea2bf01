#include "edges/otlp_machine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void add(struct otlp_machine *machine, const char *key, const char *value)
{
    ASSERT(machine->count < ARRAY_LEN(machine->pairs));
    machine->pairs[machine->count++] = (struct otlp_pair){key, base_copy(value), 0};
}

void otlp_machine_read(struct otlp_machine *machine, const char *(*get)(void *owner, const char *name),
                       void *owner)
{
    /* Kubernetes' downward API names nothing itself: either of the usual names. */
    static const char *const names[][3] = {
        {"k8s.namespace.name", "K8S_NAMESPACE_NAME", "POD_NAMESPACE"},
        {"k8s.pod.name", "K8S_POD_NAME", "POD_NAME"},
        {"k8s.node.name", "K8S_NODE_NAME", "NODE_NAME"},
    };
    char host[HOST_NAME_MAX + 1] = "";
    machine->count = 0;
    if (gethostname(host, sizeof host - 1) != 0 || !*host)
        snprintf(host, sizeof host, "unknown");
    add(machine, "host.name", host);
    machine->pairs[machine->count++] = (struct otlp_pair){"process.pid", NULL, getpid()};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = NULL;
        for (size_t k = 1; k < ARRAY_LEN(names[i]) && (!value || !*value); k++)
            value = get ? get(owner, names[i][k]) : getenv(names[i][k]);
        if (value && *value)
            add(machine, names[i][0], value);
    }
}

void otlp_machine_fini(struct otlp_machine *machine)
{
    for (size_t i = 0; i < machine->count; i++)
        free((char *)machine->pairs[i].value);
    machine->count = 0;
}
