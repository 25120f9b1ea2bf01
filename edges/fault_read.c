#include "edges/fault_read.h"

#include "edges/scenario_load.h"

#include <stdlib.h>

/* What has to have happened before, for the file's rules to let it happen. */
static const struct need {
    enum fault_kind kind, before;
} needs[] = {
    {FAULT_CREATE_INDEX, FAULT_DROP_INDEX},
    {FAULT_DROP_INDEX, FAULT_CREATE_INDEX},
    {FAULT_SERVICE_UP, FAULT_SERVICE_DOWN},
};

static void write_fault(struct text *text, const char *at, enum fault_kind kind, const char *value)
{
    text_lit(text, "{at: ");
    text_str(text, at);
    text_lit(text, ", ");
    text_str(text, fault_kind_name(kind));
    text_lit(text, ": ");
    text_str(text, value);
    text_char(text, '}');
}

static struct scenario *read_list(const struct fault_context *context, struct text *list, struct text *errors)
{
    size_t count = context->setting_count;
    const char **settings = base_alloc(count + 1, sizeof *settings);
    for (size_t i = 0; i < count; i++)
        settings[i] = context->settings[i];
    settings[count] = text_c(list);
    struct scenario *read = scenario_load(context->file, context->registry, settings, count + 1, errors);
    free(settings);
    return read;
}

/* Of "--set:1:31: faults.0.pool_max.max: expected ..., found ..." what comes behind the list: where it stands is no
   place the asker knows. A line about the kind is better than one about the fault as a whole. */
static void tell(struct text *error, enum fault_kind kind, struct text *problems)
{
    static const char of_kind[] = "faults.0.", of_fault[] = "faults.0: ";
    const char *found = strstr(text_c(problems), of_kind);
    if (found) {
        found += sizeof of_kind - 1;
    } else {
        found = strstr(text_c(problems), of_fault);
        found = found ? found + sizeof of_fault - 1 : text_c(problems);
        text_str(error, fault_kind_name(kind));
        text_lit(error, ": ");
    }
    text_bytes(error, found, strcspn(found, "\n"));
}

struct scenario *fault_read(const struct fault_context *context, enum fault_kind kind, const char *value,
                            struct text *error)
{
    struct text list = {0}, problems = {0}, others = {0};
    text_lit(&list, "faults=[");
    write_fault(&list, "0s", kind, value);
    text_char(&list, ']');
    struct scenario *read = read_list(context, &list, &problems);
    for (size_t i = 0; !read && i < ARRAY_LEN(needs); i++) {
        if (needs[i].kind != kind)
            continue;
        list.len = 0;
        text_lit(&list, "faults=[");
        write_fault(&list, "0s", needs[i].before, value);
        text_lit(&list, ", ");
        write_fault(&list, "1ms", kind, value);
        text_char(&list, ']');
        read = read_list(context, &list, &others);
    }
    if (!read)
        tell(error, kind, &problems);
    text_fini(&list);
    text_fini(&problems);
    text_fini(&others);
    return read;
}
