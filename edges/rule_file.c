#include "edges/rule_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <yaml.h>

bool rule_file_read(const char *file, struct text *content)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t count = 0;
    if (fd == -1)
        return false;
    do {
        text_reserve(content, 65536);
        count = read(fd, content->bytes + content->len, 65536);
        content->len += count > 0 ? (size_t)count : 0;
    } while ((count > 0 && content->len <= RULE_FILE_BYTES_MAX) || (count < 0 && errno == EINTR));
    int error = count < 0 ? errno : content->len > RULE_FILE_BYTES_MAX ? EFBIG : 0;
    close(fd);
    errno = error;
    return !error;
}

struct rule_outcome *rule_outcome_of(struct rule_outcomes *outcomes, const char *alert, size_t len)
{
    for (size_t i = 0; i < outcomes->count; i++)
        if (strlen(outcomes->of[i].alert) == len && !memcmp(outcomes->of[i].alert, alert, len))
            return &outcomes->of[i];
    if (outcomes->count == RULE_ALERTS_MAX || len > RULE_NAME_MAX) {
        outcomes->cut = true;
        return NULL;
    }
    struct rule_outcome *outcome = &outcomes->of[outcomes->count++];
    *outcome =
        (struct rule_outcome){.alert = base_alloc(len + 1, 1), .fired_at_ns = NEVER, .resolved_at_ns = NEVER};
    memcpy(outcome->alert, alert, len);
    return outcome;
}

void rule_outcomes_fini(struct rule_outcomes *outcomes)
{
    for (size_t i = 0; i < outcomes->count; i++)
        free(outcomes->of[i].alert);
    outcomes->count = 0;
    outcomes->cut = false;
}

/* A scalar behind the scalar `alert` is a name: rules have that word nowhere else but as their key, and a
   label of that name would be one more alert that does not fire. */
void rule_file_alerts(struct text *content, struct rule_outcomes *outcomes)
{
    yaml_parser_t parser;
    yaml_event_t event;
    bool named = false, more = true;
    if (!yaml_parser_initialize(&parser))
        return;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text_c(content), content->len);
    while (more && yaml_parser_parse(&parser, &event)) {
        bool scalar = event.type == YAML_SCALAR_EVENT;
        const char *text = scalar ? (const char *)event.data.scalar.value : "";
        if (named && scalar)
            rule_outcome_of(outcomes, text, event.data.scalar.length);
        named = !named && scalar && !strcmp(text, "alert");
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}
