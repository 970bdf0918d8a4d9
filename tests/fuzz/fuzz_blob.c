/* fuzz_blob: the blob decoder takes any bytes. Each input is decoded twice: as a blob, and as the message
 * within one, since hardly any change to an LZ4 block gets past its decompression. What is accepted must be
 * consistent and must come back from encoding it again. */
#include <lz4.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/formats/codec.h"

enum { MAX_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_array(const struct tv_array *a)
{
    require(a->n_dims == 1 || a->n_dims == 2);
    require(a->n_bytes == a->shape[0] * a->shape[1] * tv_dtype_size(a->dtype));
    require((uintptr_t)a->data % tv_dtype_size(a->dtype) == 0);
    struct tv_buffer blob = TV_BUFFER_INIT(4 * MAX_BYTES);
    struct tv_array again;
    require(tv_blob_encode(&blob, a, NULL) == TV_OK);
    require(tv_blob_decode_as(&again, a->dtype, a->n_dims, blob.data, blob.size, 2 * MAX_BYTES, NULL) ==
            TV_OK);
    require(again.shape[0] == a->shape[0] && again.shape[1] == a->shape[1] && again.n_bytes == a->n_bytes);
    require(memcmp(again.data, a->data, a->n_bytes) == 0);
    tv_array_free(&again);
    tv_buffer_free(&blob);
}

static void decode(const void *bytes, size_t n)
{
    struct tv_array a;
    struct tv_error err = {0};
    enum tv_status status = tv_blob_decode(&a, bytes, n, MAX_BYTES, &err);
    if (status == TV_OK)
        check_array(&a);
    else
        require(status == TV_ERR_CORRUPT && a.memory == NULL && err.message[0] != '\0');
    tv_array_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode(data, size);
    if (size > MAX_BYTES)
        return 0;
    int bound = LZ4_compressBound((int)size);
    char *blob = malloc(4 + (size_t)bound);
    require(blob != NULL);
    for (int i = 0; i < 4; i++)
        blob[i] = (char)(size >> 8 * i & 0xff);
    int n = LZ4_compress_default((const char *)data, blob + 4, (int)size, bound);
    require(n > 0);
    decode(blob, 4 + (size_t)n);
    free(blob);
    return 0;
}
