/* The part of onnxruntime's C API that the runner calls, by its place in the function table.
 *
 * The table is append-only: "the ordering of these fields MUST not change after that version has shipped"
 * (onnxruntime, core/session/onnxruntime_c_api.cc), and its first version, which is all that is used here, is
 * guarded there by static_assert(offsetof(OrtApi, ReleaseCustomOpDomain) / sizeof(void *) == 101).
 * ort_open() asks for that version and proves the table by a round trip of an error text before it is used. */
#ifndef TRIMTAB_ORT_H
#define TRIMTAB_ORT_H

#include <stddef.h>
#include <stdint.h>

enum {
    ORT_CREATE_STATUS = 0,
    ORT_GET_ERROR_MESSAGE = 2,
    ORT_CREATE_ENV = 3,
    ORT_CREATE_SESSION = 7,
    ORT_RUN = 9,
    ORT_CREATE_SESSION_OPTIONS = 10,
    ORT_ENABLE_PROFILING = 14,
    ORT_SET_INTRA_OP_NUM_THREADS = 24,
    ORT_SET_INTER_OP_NUM_THREADS = 25,
    ORT_CREATE_TENSOR_WITH_DATA = 49,
    ORT_GET_TENSOR_MUTABLE_DATA = 51,
    ORT_GET_TENSOR_ELEMENT_TYPE = 60,
    ORT_GET_DIMENSIONS_COUNT = 61,
    ORT_GET_DIMENSIONS = 62,
    ORT_GET_TENSOR_TYPE_AND_SHAPE = 65,
    ORT_CREATE_CPU_MEMORY_INFO = 69,
    ORT_RELEASE_ENV = 92,
    ORT_RELEASE_STATUS = 93,
    ORT_RELEASE_SESSION = 95,
    ORT_RELEASE_VALUE = 96,
    ORT_RELEASE_TENSOR_TYPE_AND_SHAPE = 99,
    ORT_RELEASE_SESSION_OPTIONS = 100
};

/* ONNXTensorElementDataType */
enum {
    T_FLOAT = 1, T_UINT8, T_INT8, T_UINT16, T_INT16, T_INT32, T_INT64, T_STRING, T_BOOL, T_FLOAT16, T_DOUBLE,
    T_UINT32, T_UINT64
};

typedef void *Handle;            /* every object of the library is opaque to us */
typedef void (*OrtCall)(void);   /* cast to the function's true type where it is called */

typedef struct {
    const OrtCall *(*get_api)(uint32_t version);
    const char *(*get_version_string)(void);
} OrtApiBase;

typedef struct {
    const OrtCall *table;
    const char *version;
    Handle env, session, memory;
} Ort;

void ort_open(Ort *ort, const char *library);
void ort_load(Ort *ort, const char *model, int threads, const char *profile);
void ort_run(Ort *ort, const char *const *in_names, const Handle *ins, size_t in_count,
             const char *const *out_names, size_t out_count, Handle *outs);
Handle ort_tensor(Ort *ort, const void *data, size_t bytes, const int64_t *dims, size_t rank, int type);
void *ort_data(Ort *ort, Handle value, int *type, int64_t *dims, size_t *rank, size_t most);
void ort_release(Ort *ort, int which, Handle object);
void die(int status, const char *format, ...);

#endif
