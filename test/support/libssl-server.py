"""A TLS server over OpenSSL's own library, for what `openssl s_server` has no option for: ticket keys and the session id context.

Arguments: port, PEM file of the chain, PEM file of its key, file of the ticket keys (name, HMAC key, AES key: 80 bytes), context in hex.
Answers each connection with what it thinks of it, in JSON over HTTP/1.0.
"""

import ctypes
import socket
import struct
import sys
import threading

ssl = ctypes.CDLL("libssl.so.3")
crypto = ctypes.CDLL("libcrypto.so.3")
pointer = ctypes.c_void_p
for function in ("TLS_server_method", "SSL_CTX_new", "SSL_new"):
    getattr(ssl, function).restype = pointer
ssl.SSL_get_version.restype = ctypes.c_char_p
ssl.SSL_CTX_ctrl.restype = ctypes.c_long
ssl.SSL_CTX_ctrl.argtypes = [pointer, ctypes.c_int, ctypes.c_long, ctypes.c_char_p]
crypto.ERR_error_string_n.argtypes = [ctypes.c_ulong, ctypes.c_char_p, ctypes.c_size_t]
crypto.ERR_get_error.restype = ctypes.c_ulong

SSL_FILETYPE_PEM = 1
SSL_CTRL_SET_TLSEXT_TICKET_KEYS = 59


def require(result, what):
    if result != 1:
        raise SystemExit(f"{what}: {error()}")


def error():
    text = ctypes.create_string_buffer(256)
    crypto.ERR_error_string_n(crypto.ERR_get_error(), text, len(text))
    return text.value.decode()


def make_context(chain, key, ticket_keys, session_id_context):
    context = pointer(ssl.SSL_CTX_new(pointer(ssl.TLS_server_method())))
    require(ssl.SSL_CTX_use_certificate_chain_file(context, chain.encode()), "chain")
    require(ssl.SSL_CTX_use_PrivateKey_file(context, key.encode(), SSL_FILETYPE_PEM), "private key")
    with open(ticket_keys, "rb") as file:
        keys = file.read()
    require(ssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_TLSEXT_TICKET_KEYS, len(keys), keys), "ticket keys")
    length = ctypes.c_uint(len(session_id_context))
    require(ssl.SSL_CTX_set_session_id_context(context, session_id_context, length), "session id context")
    return context


def serve(context, connection):
    # A timeout of Python's would make the descriptor one that does not block, and OpenSSL would say "want read".
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 10, 0))
    tls = pointer(ssl.SSL_new(context))
    try:
        ssl.SSL_set_fd(tls, connection.fileno())
        if ssl.SSL_accept(tls) != 1:
            print(f"SSL_accept: {error()}", flush=True)
            return
        ssl.SSL_read(tls, ctypes.create_string_buffer(4096), 4096)
        protocol = ssl.SSL_get_version(tls).decode()
        body = f'{{"protocol":"{protocol}","reused":"{ssl.SSL_session_reused(tls)}"}}'
        answer = f"HTTP/1.0 200 OK\r\n\r\n{body}".encode()
        ssl.SSL_write(tls, answer, len(answer))
        ssl.SSL_shutdown(tls)
        connection.shutdown(socket.SHUT_WR)
        # What the client still says would be answered by a reset, which may overtake the answer.
        while connection.recv(4096):
            pass
    except OSError as problem:
        print(f"connection: {problem}", flush=True)
    finally:
        ssl.SSL_free(tls)
        connection.close()


def main(port, chain, key, ticket_keys, session_id_context):
    context = make_context(chain, key, ticket_keys, bytes.fromhex(session_id_context))
    listener = socket.create_server(("127.0.0.1", int(port)))
    print("listening", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(context, connection), daemon=True).start()


main(*sys.argv[1:])
