/* fuzz_npy: the header of a .npy file takes any bytes. Each input is parsed as a file, and as the text of a header,
 * since hardly any input begins with the magic bytes. What is accepted must come back from writing it again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/formats/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void parse(const void *bytes, size_t n)
{
    struct tv_npy_shape shape, again;
    struct tv_error err = {0};
    char header[TV_NPY_HEADER];
    size_t data_at = 0;
    if (tv_npy_parse(&shape, &data_at, bytes, n, &err) != TV_OK) {
        require(err.status == TV_ERR_INPUT && err.message[0] != '\0');
        return;
    }
    require(data_at <= n && (shape.n_dims == 2 || (shape.n_dims == 1 && shape.columns == 1)));
    tv_npy_header(header, &shape);
    require(tv_npy_parse(&again, &data_at, header, sizeof header, NULL) == TV_OK && data_at == sizeof header);
    require(again.dtype == shape.dtype && again.n_dims == shape.n_dims && again.rows == shape.rows &&
            again.columns == shape.columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size);
    if (size > UINT16_MAX)
        return 0;
    char *file = malloc(10 + size);
    require(file != NULL);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (char)(size & 0xff);
    file[9] = (char)(size >> 8);
    memcpy(file + 10, data, size);
    parse(file, 10 + size);
    free(file);
    return 0;
}
