"""A web server of tests: files with ETag and ranges, and one fault at a time."""

import contextlib
import hashlib
import http.server
import ssl
import subprocess
import threading
import time

from stores import free_port


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in {"Content_Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        web = self.server.web
        web.asked.append((self.path, dict(self.headers)))
        if self.path.startswith("/to/"):
            return self.answer(302, Location=web.redirects[self.path[4:]])
        if self.path.startswith("/code/"):
            return self.answer(int(self.path[6:]), b"<html>no</html>")
        data = web.files.get(self.path.split("?")[0].lstrip("/"))
        if data is None:
            return self.answer(404, b"<html>nothing here</html>", Content_Type="text/html")
        etag = web.etag(data)
        named = {"ETag": etag} if etag else {}
        if self.headers.get("If-None-Match") == etag and etag:
            return self.answer(304, **named)
        begin, code = 0, 200
        wanted = self.headers.get("Range")
        if wanted and (web.careless or self.headers.get("If-Range") == etag):
            begin, code = int(wanted.removeprefix("bytes=").rstrip("-")), 206
            if begin >= len(data):
                return self.answer(416, Content_Range=f"bytes */{len(data)}")
            named["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        self.send_response(code)
        for name, value in {**named, "Content-Length": len(data) - begin}.items():
            self.send_header(name, str(value))
        self.end_headers()
        web.send(self, data[begin:])


class Web:
    """files: {name: bytes}. cut: after how many bytes of each of the next answers the connection is closed; stall: the same, and
    nothing comes any more. careless: ranges without a look at If-Range. named: whether files have an ETag."""

    def __init__(self, tls=None):
        self.files, self.redirects, self.asked = {}, {}, []
        self.cut, self.stall, self.slow, self.careless, self.named = [], [], 0, False, True
        self.port = free_port()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads, self.server.web = True, self
        self.scheme = "https" if tls else "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls, tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"{self.scheme}://127.0.0.1:{self.port}/{path}"

    def etag(self, data):
        return f'"{hashlib.md5(data).hexdigest()}"' if self.named else None

    def send(self, handler, data):
        if self.cut:
            handler.wfile.write(data[:self.cut.pop(0)])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.close()
            return
        if self.stall:
            handler.wfile.write(data[:self.stall.pop(0)])
            handler.wfile.flush()
            time.sleep(30)
            return
        for at in range(0, len(data), 65536):
            time.sleep(self.slow)
            with contextlib.suppress(OSError):
                handler.wfile.write(data[at:at + 65536])

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def certificate(folder):
    """A key and a certificate that it signed itself, for 127.0.0.1, in one file."""
    path = folder / "server.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path,
                    "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (folder / "cert.pem").read_bytes())
    return path
