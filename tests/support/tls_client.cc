#include "tests/support/tls_client.h"

#include "gateway/base/result.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>

namespace lotsen::support {

namespace {

int connectTo(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{10, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  LOTSEN_CHECK(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return descriptor;
}

std::string whatFailed() {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  return reason == nullptr ? "closed" : reason;
}

}  // namespace

TlsClient::TlsClient(std::uint16_t port, const TlsClientOptions& options)
    : descriptor_(connectTo(port)), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), ssl_(nullptr, SSL_free) {
  ::signal(SIGPIPE, SIG_IGN);
  SSL_CTX* context = context_.get();
  // Old versions and weak ciphers are offered when a test wants to see them refused.
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, options.leastVersion);
  SSL_CTX_set_max_proto_version(context, options.mostVersion);
  if (!options.ciphers.empty()) LOTSEN_CHECK(SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) == 1);
  if (options.trusted != nullptr) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), options.trusted->certificate());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  if (options.own != nullptr) {
    LOTSEN_CHECK(SSL_CTX_use_certificate(context, options.own->certificate()) == 1 &&
                 SSL_CTX_use_PrivateKey(context, options.own->key()) == 1);
  }
  ssl_.reset(SSL_new(context));
  SSL_set_fd(ssl_.get(), descriptor_);
  if (!options.protocols.empty())
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(options.protocols.data()),
                        static_cast<unsigned>(options.protocols.size()));
  if (options.session) SSL_set_session(ssl_.get(), options.session.get());
  ERR_clear_error();
  connected_ = SSL_connect(ssl_.get()) == 1;
  if (!connected_) fault_ = whatFailed();
}

TlsClient::~TlsClient() {
  ssl_.reset();
  ::close(descriptor_);
}

bool TlsClient::send(std::string_view bytes) {
  ERR_clear_error();
  std::size_t sent = 0;
  return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent) == 1 && sent == bytes.size();
}

bool TlsClient::more() {
  char buffer[16384];
  std::size_t size = 0;
  ERR_clear_error();
  const int outcome = SSL_read_ex(ssl_.get(), buffer, sizeof buffer, &size);
  if (outcome == 1) {
    rest_.append(buffer, size);
    return true;
  }
  goodbye_ = SSL_get_error(ssl_.get(), outcome) == SSL_ERROR_ZERO_RETURN;
  if (!goodbye_) fault_ = whatFailed();
  return false;
}

int TlsClient::read(std::string* body) {
  std::size_t end = 0;
  while ((end = rest_.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return 0;
  }
  head_ = rest_.substr(0, end + 4);
  rest_.erase(0, end + 4);
  const auto length = head_.find("Content-Length: ");
  const std::size_t size = length == std::string::npos ? 0 : std::strtoul(head_.c_str() + length + 16, nullptr, 10);
  while (rest_.size() < size) {
    if (!more()) return 0;
  }
  if (body != nullptr) *body = rest_.substr(0, size);
  rest_.erase(0, size);
  return std::atoi(head_.c_str() + 9);
}

int TlsClient::get(const std::string& target, std::string* body) {
  return send("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n") ? read(body) : 0;
}

bool TlsClient::closedPolitely() {
  while (more()) {}
  return goodbye_ && rest_.empty();
}

void TlsClient::sayGoodbye() {
  SSL_shutdown(ssl_.get());
}

void TlsClient::endSending() {
  ::shutdown(descriptor_, SHUT_WR);
}

bool TlsClient::renegotiate() {
  ERR_clear_error();
  return SSL_renegotiate(ssl_.get()) == 1 && SSL_do_handshake(ssl_.get()) == 1;
}

std::string TlsClient::version() const {
  return SSL_get_version(ssl_.get());
}

std::string TlsClient::cipher() const {
  return SSL_get_cipher_name(ssl_.get());
}

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

bool TlsClient::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::shared_ptr<ssl_session_st> TlsClient::session() const {
  return {SSL_get1_session(ssl_.get()), SSL_SESSION_free};
}

std::string TlsClient::serverName() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  char name[256] = "";
  if (certificate != nullptr)
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  return name;
}

}  // namespace lotsen::support
