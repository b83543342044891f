/* Calls into libonnxruntime.so, opened at run time: nothing of it is needed to build the runner.
 *
 * Functions are called by their place in the C API's table. It is append-only: "the ordering of these fields MUST
 * not change after that version has shipped" (onnxruntime, core/session/onnxruntime_c_api.cc), and its first
 * version, which is all that is used here, is guarded there by static_assert(offsetof(OrtApi,
 * ReleaseCustomOpDomain) / sizeof(void *) == 101). ort_open() proves the table by a round trip of an error text. */
#include "runner.h"

#include <dlfcn.h>
#include <string.h>

enum {
    CREATE_STATUS = 0, GET_ERROR_MESSAGE = 2, CREATE_ENV = 3, CREATE_SESSION = 7, RUN = 9,
    CREATE_SESSION_OPTIONS = 10, ENABLE_PROFILING = 14, SET_INTRA_OP_NUM_THREADS = 24,
    SET_INTER_OP_NUM_THREADS = 25, CREATE_TENSOR_WITH_DATA = 49, CREATE_CPU_MEMORY_INFO = 69, RELEASE_SESSION = 95
};

#define CALL(ort, which, ...) ((Handle(*)(__VA_ARGS__))(ort)->table[which])

typedef struct {
    const OrtCall *(*get_api)(uint32_t version);
    const char *(*get_version_string)(void);
} OrtApiBase;

static const char *said(Ort *ort, Handle status) { return (const char *)CALL(ort, GET_ERROR_MESSAGE, Handle)(status); }

static void check(Ort *ort, Handle status, const char *what) {
    if (status) die(70, "%s: %s", what, said(ort, status));
}

void ort_open(Ort *ort, const char *library) {
    static const char probe[] = "trimtab asks";
    void *file = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!file) die(69, "%s", dlerror());
    const OrtApiBase *(*base_of)(void) = (const OrtApiBase *(*)(void))dlsym(file, "OrtGetApiBase");
    if (!base_of) die(69, "%s is no onnxruntime", library);
    ort->version = base_of()->get_version_string();
    ort->table = base_of()->get_api(1);
    if (!ort->table || strncmp(ort->version, "1.", 2) != 0)
        die(69, "onnxruntime %s has another interface than 1.x", ort->version);
    Handle status = CALL(ort, CREATE_STATUS, int, const char *)(1, probe);
    if (!status || strcmp(said(ort, status), probe) != 0)
        die(69, "onnxruntime %s has an unknown function table", ort->version);
    check(ort, CALL(ort, CREATE_ENV, int, const char *, Handle *)(3, "trimtab", &ort->env), "env");
    check(ort, CALL(ort, CREATE_CPU_MEMORY_INFO, int, int, Handle *)(0, 0, &ort->memory), "memory");
}

void ort_load(Ort *ort, const char *model, int threads, const char *profile) {
    Handle options = NULL, status;
    check(ort, CALL(ort, CREATE_SESSION_OPTIONS, Handle *)(&options), "options");
    check(ort, CALL(ort, SET_INTRA_OP_NUM_THREADS, Handle, int)(options, threads), "threads");
    check(ort, CALL(ort, SET_INTER_OP_NUM_THREADS, Handle, int)(options, 1), "threads");
    if (profile) check(ort, CALL(ort, ENABLE_PROFILING, Handle, const char *)(options, profile), "profile");
    status = CALL(ort, CREATE_SESSION, Handle, const char *, Handle, Handle *)(ort->env, model, options, &ort->session);
    check(ort, status, "the model does not load");
}

void ort_bind(Ort *ort, Goldens *goldens) {
    for (int side = IN; side <= OUT; side++) {
        for (size_t index = 0; index < goldens->count[side]; index++) {
            Tensor *t = &goldens->tensor[side][index];
            Handle *value = &goldens->values[side][index];
            Handle status = CALL(ort, CREATE_TENSOR_WITH_DATA, Handle, void *, size_t, const int64_t *, size_t, int, Handle *)(
                ort->memory, t->buffer, t->bytes, t->dims, t->rank, t->type, value);
            check(ort, status, t->name);
        }
    }
}

void ort_run(Ort *ort, Goldens *goldens) {
    typedef const char *const *Names;
    Handle status = CALL(ort, RUN, Handle, Handle, Names, const Handle *, size_t, Names, size_t, Handle *)(
        ort->session, NULL, goldens->names[IN], goldens->values[IN], goldens->count[IN], goldens->names[OUT],
        goldens->count[OUT], goldens->values[OUT]);
    check(ort, status, "the model does not run");
}

void ort_close(Ort *ort) { ((void (*)(Handle))ort->table[RELEASE_SESSION])(ort->session); }
