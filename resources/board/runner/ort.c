/* Calls into libonnxruntime.so, opened at run time: nothing of it is needed to build the runner. */
#include "ort.h"

#include <dlfcn.h>
#include <string.h>

#define CALL(ort, which, type) ((type)(ort)->table[which])

static void check(Ort *ort, Handle status, const char *what) {
    if (status)
        die(70, "%s: %s", what, CALL(ort, ORT_GET_ERROR_MESSAGE, const char *(*)(Handle))(status));
}

void ort_release(Ort *ort, int which, Handle object) {
    if (object) CALL(ort, which, void (*)(Handle))(object);
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
    Handle status = CALL(ort, ORT_CREATE_STATUS, Handle(*)(int, const char *))(1, probe);
    const char *said = status ? CALL(ort, ORT_GET_ERROR_MESSAGE, const char *(*)(Handle))(status) : "";
    if (strcmp(said, probe) != 0) die(69, "onnxruntime %s has an unknown function table", ort->version);
    ort_release(ort, ORT_RELEASE_STATUS, status);
    check(ort, CALL(ort, ORT_CREATE_ENV, Handle(*)(int, const char *, Handle *))(3, "trimtab", &ort->env), "env");
    check(ort, CALL(ort, ORT_CREATE_CPU_MEMORY_INFO, Handle(*)(int, int, Handle *))(0, 0, &ort->memory), "memory");
}

void ort_load(Ort *ort, const char *model, int threads, const char *profile) {
    Handle options = NULL;
    typedef Handle (*SetNumber)(Handle, int);
    check(ort, CALL(ort, ORT_CREATE_SESSION_OPTIONS, Handle(*)(Handle *))(&options), "options");
    check(ort, CALL(ort, ORT_SET_INTRA_OP_NUM_THREADS, SetNumber)(options, threads), "threads");
    check(ort, CALL(ort, ORT_SET_INTER_OP_NUM_THREADS, SetNumber)(options, 1), "threads");
    if (profile && *profile)
        check(ort, CALL(ort, ORT_ENABLE_PROFILING, Handle(*)(Handle, const char *))(options, profile), "profile");
    check(ort,
          CALL(ort, ORT_CREATE_SESSION, Handle(*)(Handle, const char *, Handle, Handle *))(ort->env, model, options,
                                                                                       &ort->session),
          "the model does not load");
    ort_release(ort, ORT_RELEASE_SESSION_OPTIONS, options);
}

void ort_run(Ort *ort, const char *const *in_names, const Handle *ins, size_t in_count,
             const char *const *out_names, size_t out_count, Handle *outs) {
    typedef Handle (*Run)(Handle, Handle, const char *const *, const Handle *, size_t, const char *const *, size_t,
                          Handle *);
    check(ort, CALL(ort, ORT_RUN, Run)(ort->session, NULL, in_names, ins, in_count, out_names, out_count, outs),
          "the model does not run");
}

Handle ort_tensor(Ort *ort, const void *data, size_t bytes, const int64_t *dims, size_t rank, int type) {
    typedef Handle (*Create)(Handle, void *, size_t, const int64_t *, size_t, int, Handle *);
    Handle value = NULL;
    check(ort,
          CALL(ort, ORT_CREATE_TENSOR_WITH_DATA, Create)(ort->memory, (void *)data, bytes, dims, rank, type, &value),
          "input");
    return value;
}

void *ort_data(Ort *ort, Handle value, int *type, int64_t *dims, size_t *rank, size_t most) {
    void *data = NULL;
    Handle shape = NULL;
    check(ort, CALL(ort, ORT_GET_TENSOR_TYPE_AND_SHAPE, Handle(*)(Handle, Handle *))(value, &shape), "output");
    check(ort, CALL(ort, ORT_GET_TENSOR_ELEMENT_TYPE, Handle(*)(Handle, int *))(shape, type), "output");
    check(ort, CALL(ort, ORT_GET_DIMENSIONS_COUNT, Handle(*)(Handle, size_t *))(shape, rank), "output");
    if (*rank > most) die(70, "an output has %zu dimensions", *rank);
    check(ort, CALL(ort, ORT_GET_DIMENSIONS, Handle(*)(Handle, int64_t *, size_t))(shape, dims, *rank), "output");
    ort_release(ort, ORT_RELEASE_TENSOR_TYPE_AND_SHAPE, shape);
    check(ort, CALL(ort, ORT_GET_TENSOR_MUTABLE_DATA, Handle(*)(Handle, void **))(value, &data), "output");
    return data;
}
