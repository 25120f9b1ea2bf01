/*
 * exit_code: what the program's exit status means, in one place (k6's numbers where k6 has one).
 */
#ifndef EDGES_EXIT_CODE_H
#define EDGES_EXIT_CODE_H

#define EXIT_CODE_LIST(X)                                                                                    \
    X(HELD, 0, "every expectation that was judged held")                                                     \
    X(INTERNAL, 1, "internal error, or output could not be written")                                         \
    X(USAGE, 2, "usage: an option or a verb that does not exist, an output that cannot be opened")           \
    X(DEPENDENCY, 69, "a dependency is not there")                                                           \
    X(FAILED, 99, "an expectation failed, a fault did not land, or traces differ")                           \
    X(SCENARIO, 104, "bad scenario, bad rules")                                                              \
    X(INTERRUPTED, 105, "interrupted: simulate by a signal, run by a second one")                            \
    X(PORT, 106, "a port is taken")

enum exit_code {
#define EXIT_CODE_ENUM(id, code, meaning) EXIT_CODE_##id = code,
    EXIT_CODE_LIST(EXIT_CODE_ENUM)
#undef EXIT_CODE_ENUM
};

#endif
