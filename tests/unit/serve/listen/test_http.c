/* test_http: sockets to a server in this process: every way in which a request can end before it is answered. Nothing
 * of it may stay behind: the sanitizers see what is lost, and a server that stops waits for requests it believes to be
 * open.
 */
#include "../serve_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/listen/http.h"
#include "trivet/base/log.h"

enum { PATIENCE = 1, SLACK = 3 }; /* seconds: the server's, and what a busy machine may add */

static struct tv_app *app;
static struct tv_http *http;

static int begin(void **state)
{
    (void)state;
    const struct tv_http_options options = {.listen = "127.0.0.1:0",
                                            .threads = 2,
                                            .lookups = 1,
                                            .workers = 1,
                                            .max_connections = 400,
                                            .timeout_seconds = PATIENCE};
    tv_log_set_level(TV_LOG_ERROR);
    app = fixture_app(NULL, 0);
    return tv_http_start(&http, app, &options, NULL) == TV_OK ? 0 : -1;
}

/* A request that was lost sight of would be waited for until the time is up. */
static int end(void **state)
{
    (void)state;
    double began = tv_clock();
    tv_http_stop(http, 10);
    assert_true(tv_clock() - began < SLACK);
    tv_app_free(app);
    return 0;
}

/* --- a client ------------------------------------------------------------------------------------------------- */

static int reach(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    to.sin_port = htons((uint16_t)atoi(strrchr(tv_http_address(http), ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* A connection that the server closed while we were sending is for take() to find. */
static void give(int fd, const char *bytes, size_t n)
{
    for (ssize_t sent; n > 0; bytes += sent, n -= (size_t)sent)
        if ((sent = send(fd, bytes, n, MSG_NOSIGNAL)) <= 0)
            return;
}

static char text[1 << 16]; /* of the last answer */

/* Reads to the end, which must come within `seconds`; the status of the first answer, or 0 without one. */
static int take(int fd, double seconds)
{
    size_t n = 0;
    double until = tv_clock() + seconds;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_true(tv_clock() < until);
        if (poll(&p, 1, 100) == 0)
            continue;
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    text[n] = '\0';
    close(fd);
    return n ? atoi(text + strlen("HTTP/1.1 ")) : 0;
}

static int ask(const char *bytes, size_t n)
{
    int fd = reach();
    give(fd, bytes, n);
    return take(fd, PATIENCE + SLACK);
}

static int ask_text(const char *request)
{
    return ask(request, strlen(request));
}

/* Goes away in the rude way: what we did not read is lost, and the server gets an error. */
static void slam(int fd)
{
    const struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

/* --- what is too much ----------------------------------------------------------------------------------------- */

/* "GET /healthz?a&a&a HTTP/1.1" with n parameters of `each`. */
static size_t with_arguments(char *out, int n, const char *each)
{
    char *at = out + sprintf(out, "GET /healthz?");
    for (int i = 0; i < n; i++)
        at += sprintf(at, "%s&", each);
    return (size_t)(at + sprintf(at, " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") - out);
}

static void test_any_number_of_arguments_is_answered(void **state)
{
    (void)state;
    static char request[1 << 16];
    const char *const each[] = {"a", "", "a=b", "=", "%61", "+"};
    for (size_t e = 0; e < sizeof each / sizeof *each; e++) {
        for (int n = 1; n * (int)(strlen(each[e]) + 1) < 8000; n += n < 40 ? 13 : 331) {
            size_t size = with_arguments(request, n, each[e]);
            int status = ask(request, size), wanted = n > TV_MAX_PARAMETERS && each[e][0] ? 400 : status;
            assert_true(status == wanted && (status == 200 || status == 400));
        }
    }
    assert_int_equal(ask(request, with_arguments(request, 5000, "a")), 414);
}

static void test_arguments_that_nobody_waits_for(void **state)
{
    (void)state;
    static char request[1 << 16];
    for (int n = 450; n < 3900; n += 50) {
        size_t size = with_arguments(request, n, "a");
        int rude = reach(), polite = reach();
        give(rude, request, size);
        give(polite, request, size);
        slam(rude);
        close(polite);
    }
}

static size_t with_headers(char *out, int n, const char *each)
{
    char *at = out + sprintf(out, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
    for (int i = 0; i < n; i++)
        at += sprintf(at, "%s\r\n", each);
    return (size_t)(at + sprintf(at, "\r\n") - out);
}

/* libmicrohttpd has so much memory for a connection. Where headers take all of it, it refuses them; where they leave
 * less than the head of an answer needs, it can only close. */
static void test_any_number_of_headers_is_answered_or_closed(void **state)
{
    (void)state;
    static char request[1 << 17];
    int closed = 0;
    for (int n = 0; n<2700; n += n> 400 && n < 700 ? 1 : 50) {
        int status = ask(request, with_headers(request, n, "a:"));
        assert_true(status == 200 || status == 431 || status == 0);
        closed += status == 0;
    }
    assert_true(closed < 20);
    assert_int_equal(ask(request, with_headers(request, 300, "abcdefg: abcdefghijklmnopqrstuvwxyz")), 431);
    assert_int_equal(ask(request, with_headers(request, 3000, "abcdefg: abcdefghijklmnopqrstuvwxyz")), 431);
}

/* Two errors of one head, each of which libmicrohttpd answers: at the second it drops the connection in silence. */
static void test_two_errors_at_once(void **state)
{
    (void)state;
    static char request[1 << 16];
    char *at = request + sprintf(request, "POST /1/ratings?a HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\nCookie: ");
    memset(at, 'a', 20000);
    strcpy(at + 20000, "\r\n\r\n");
    for (int i = 0; i < 20; i++)
        ask_text(request);
}

/* --- what cannot be understood -------------------------------------------------------------------------------- */

#define POST "POST /1/ratings HTTP/1.1\r\nHost: 127.0.0.1\r\n"
#define GET  "GET /healthz HTTP/1.1\r\n"

static void test_framing_that_two_readers_could_take_in_two_ways(void **state)
{
    (void)state;
    const char *const refused[] = {
        POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        POST "Content-Length: 2\r\nContent-Length: 3\r\n\r\n[] ",
        POST "Content-Length: 2\r\ncontent-length: 2\r\n\r\n[]",
        POST "Content-Length: 2, 2\r\n\r\n[]",
        POST "Content-Length: +2\r\n\r\n[]",
        POST "Content-Length:\r\n\r\n",
        POST "Content-Length : 2\r\n\r\n[]",
        POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
        POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        POST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
        "POST /1/ratings HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        GET "Host: a\r\nHost: a\r\n\r\n",
        GET "Host: a\r\nHost: b\r\n\r\n",
        GET "Host: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        GET "Host: a\r\nA b: c\r\n\r\n",
        GET "\r\n",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(ask_text(refused[i]), 400);
        assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    }
    assert_int_equal(ask_text("GET /healthz HTTP/1.0\r\n\r\n"), 200);
    assert_int_equal(ask_text(GET "Host: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), 200);
}

/* n bytes, of which the client of this test may not know how many are NUL. */
#define BYTES(literal) {literal, sizeof literal - 1}

static void test_text_that_one_reader_does_not_see(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } refused[] = {
        BYTES(POST "Content-Length:\r\n 2\r\n\r\n[]"), /* a line that goes on */
        BYTES(POST "Content-Len: 2\r\n gth\r\n\r\n[]"),
        BYTES(POST "Transfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n"),
        BYTES(POST "Transfer-Enc: chunked\r\n oding\r\n\r\n0\r\n\r\n"),
        BYTES(POST "A: b\r\n c\r\nContent-Length: 2\r\n\r\n[]"),
        BYTES(GET "Host: a\r\n b\r\n\r\n"),
        BYTES(GET "Host: a\r\nVia:\r\n b\r\nC: d\r\n\r\n"),
        BYTES(GET "Host: a\0b\r\n\r\n"), /* what a NUL hides */
        BYTES(GET "Host: a\0\r\nA: b\0c\r\n\r\n"),
        BYTES(GET "A: b\0c\r\nHost: a\r\n\r\n"),
        BYTES(POST "Transfer-Encoding: chunked\0, gzip\r\n\r\n0\r\n\r\n"),
        BYTES("GET /healthz\0/a HTTP/1.1\r\nHost: a\r\n\r\n"),
        BYTES("GET /healthz?a=b\0c HTTP/1.1\r\nHost: a\r\n\r\n"),
        BYTES("GET\0A /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(ask(refused[i].bytes, refused[i].n), 400);
        assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    }
    const char *const fine[] = {GET "Host:a\r\nA:\r\nB: \t c \r\nConnection: close\r\n\r\n",
                                "\r\nGET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                                "GET /healthz HTTP/1.1\nHost: a\nConnection: close\n\n",
                                "GET   /healthz   HTTP/1.1\r\nHost: 127.0.0.1\r\nA: b:c : d\r\nConnection: close\r\n\r\n"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        assert_int_equal(ask_text(fine[i]), i < 3 ? 200 : 404);
}

static void test_heads_and_bodies_that_are_broken(void **state)
{
    (void)state;
    const char *const broken[] = {
        "\r\n\r\n\r\n\r\n",
        "a\r\n",
        "GET\r\n\r\n",
        "GET \r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
        " / HTTP/1.1\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/0.9\r\n\r\n",
        "GET /?a&b HTTP/1.1x\r\n\r\n",
        "GET /?a&b\r\n\r\n",
        GET "Host: a\r\nno colon\r\n\r\n",
        GET " folded: a\r\n\r\n",
        GET "no colon\r\n\r\n",
        POST "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        POST "Transfer-Encoding: chunked\r\n\r\n5\r\n[    ]\r\n0\r\n\r\n",
        POST "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        POST "Transfer-Encoding: chunked\r\n\r\n;\r\n",
        POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nno colon\r\n\r\n",
        POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n",
        POST "Content-Length: 99999999999999999999\r\n\r\n",
        POST "Content-Length: 5\r\n\r\n[",
        POST "Content-Length: 17000000\r\n\r\n[",
        POST "Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        int status = ask_text(broken[i]);
        assert_true(status == 0 || status == 100 || (status >= 400 && status < 500) || status == 505);
    }
    char zero[3000] = "GET /a";
    memset(zero + 7, '?', 1);
    for (size_t i = 8; i < sizeof zero; i++)
        zero[i] = i % 2 ? '&' : 'a';
    int fd = reach();
    give(fd, zero, sizeof zero);
    give(fd, " HTTP/1.1\r\nHost: a\r\n\r\n", 23);
    take(fd, PATIENCE + SLACK);
}

/* --- who leaves ----------------------------------------------------------------------------------------------- */

static const char *const whole[] = {
    "GET /healthz?a=1&b=%20 HTTP/1.1\r\nHost: a\r\nCookie: a=b; c\r\nX: y\r\n\r\n",
    POST "Content-Length: 30\r\n\r\n[{\"movie_id\": 1, \"rating\": 4}]",
    POST "Transfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n4\r\n3,4]\r\n0\r\nTrailer: a\r\n\r\n",
    POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n[]",
};
enum { WHOLE = sizeof whole / sizeof *whole };

static void test_a_client_that_closes_at_each_byte(void **state)
{
    (void)state;
    static int half[300];
    for (size_t r = 0; r < WHOLE; r++) {
        size_t n = strlen(whole[r]);
        for (size_t cut = 0; cut <= n; cut++) {
            int rude = reach(), polite = reach();
            give(rude, whole[r], cut);
            slam(rude);
            give(polite, whole[r], cut);
            close(polite);
            give(half[cut] = reach(), whole[r], cut);
            shutdown(half[cut], SHUT_WR);
        }
        for (size_t cut = 0; cut <= n; cut++)
            take(half[cut], PATIENCE + SLACK);
    }
}

/* --- who is slow ---------------------------------------------------------------------------------------------- */

static void test_silence_at_each_byte_ends_in_time(void **state)
{
    (void)state;
    static int fds[300];
    for (size_t r = 0; r < WHOLE; r++) {
        size_t n = strlen(whole[r]);
        for (size_t cut = 0; cut < n; cut++)
            give(fds[cut] = reach(), whole[r], cut);
        double began = tv_clock();
        for (size_t cut = 0; cut < n; cut++)
            take(fds[cut], PATIENCE + SLACK);
        assert_true(tv_clock() - began < PATIENCE + SLACK);
    }
}

/* Always something, never all of it: in the request line, among the headers, in the body, in a chunk. */
static void test_a_byte_at_a_time_ends_in_time(void **state)
{
    (void)state;
    enum { KINDS = 5 };
    const char *const start[KINDS] = {"", "GET /", GET "Host: a\r\nX: ", POST "Content-Length: 1000\r\n\r\n",
                                      POST "Transfer-Encoding: chunked\r\n\r\n3e8\r\n"};
    int fds[KINDS], open = KINDS;
    for (int i = 0; i < KINDS; i++)
        give(fds[i] = reach(), start[i], strlen(start[i]));
    for (double began = tv_clock(); open > 0; usleep(50000)) {
        assert_true(tv_clock() - began < PATIENCE + SLACK);
        for (int i = 0; i < KINDS; i++) {
            char byte;
            if (fds[i] >= 0 &&
                (send(fds[i], i ? "1" : "\n", 1, MSG_NOSIGNAL) < 0 || recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0)) {
                close(fds[i]);
                fds[i] = -1;
                open--;
            }
        }
    }
}

/* As large as answers get: a thousand rows with titles of 12 KB. */
static void know_long_titles(void)
{
    static char title[12000];
    memset(title, 'x', sizeof title - 1);
    struct tv_resident *s = fixture_resident(7, 1000, 4, title, NULL);
    fixture_know(app, s, 1, fixture_user(s, 1, 0, 100), 0);
    tv_shelf_show(app->models.shelf, s);
}

/* Takes 50,000 bytes, pauses, and so on to the end; how many they were. */
static size_t take_slowly(int fd, useconds_t pause, double seconds)
{
    size_t total = 0;
    double until = tv_clock() + seconds;
    for (ssize_t n; (n = recv(fd, text, 50000, 0)) > 0; usleep(pause)) {
        total += (size_t)n;
        assert_true(tv_clock() < until);
    }
    close(fd);
    return total;
}

/* Bytes flow all the time, so that nothing but the patience with the whole answer can end it. */
static void test_an_answer_that_is_taken_slowly_ends_in_time(void **state)
{
    (void)state;
    static const char request[] =
        "GET /api/v1/recs?user_id=1&top=1000 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    know_long_titles();
    int quick = reach(), slow = reach();
    give(quick, request, sizeof request - 1);
    size_t size = take_slowly(quick, 0, PATIENCE + SLACK);
    give(slow, request, sizeof request - 1);
    assert_true(size > 9000000);
    assert_true(take_slowly(slow, 50000, 20) < size);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_any_number_of_arguments_is_answered, begin, end),
        cmocka_unit_test_setup_teardown(test_arguments_that_nobody_waits_for, begin, end),
        cmocka_unit_test_setup_teardown(test_any_number_of_headers_is_answered_or_closed, begin, end),
        cmocka_unit_test_setup_teardown(test_two_errors_at_once, begin, end),
        cmocka_unit_test_setup_teardown(test_framing_that_two_readers_could_take_in_two_ways, begin, end),
        cmocka_unit_test_setup_teardown(test_text_that_one_reader_does_not_see, begin, end),
        cmocka_unit_test_setup_teardown(test_heads_and_bodies_that_are_broken, begin, end),
        cmocka_unit_test_setup_teardown(test_a_client_that_closes_at_each_byte, begin, end),
        cmocka_unit_test_setup_teardown(test_silence_at_each_byte_ends_in_time, begin, end),
        cmocka_unit_test_setup_teardown(test_a_byte_at_a_time_ends_in_time, begin, end),
        cmocka_unit_test_setup_teardown(test_an_answer_that_is_taken_slowly_ends_in_time, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
