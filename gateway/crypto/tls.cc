#include "gateway/crypto/tls.h"

#include "gateway/crypto/x509.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace lotsen::crypto {

namespace {

constexpr int kSecurityLevel = 2;  // RSA from 2048 bits, no SHA-1: whatever the machine's openssl.cnf says
constexpr int kChainDepth = 5;
constexpr char kCiphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";  // of TLS 1.2; those of 1.3 are all good
constexpr char kGroups[] = "X25519:P-256:P-384";
constexpr unsigned char kSessionContext[] = "lotsen";

// A client that offers other protocols only is told so, instead of being misunderstood.
int chooseProtocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                   unsigned offeredSize, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, kHttp11, sizeof kHttp11 - 1, offered, offeredSize) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Error refused(std::string_view what) {
  const char* why = ERR_reason_error_string(ERR_peek_error());
  Error error = fail(Code::Invalid, "OpenSSL refuses " + std::string(what) + ": " + (why != nullptr ? why : "unknown"));
  ERR_clear_error();
  return error;
}

Status useKeyPair(SSL_CTX* context, const KeyPair& own) {
  auto certificates = parseCertificates(own.certificatePem);
  const auto key = parseKey(own.keyPem);
  if (certificates.empty() || !key) return fail(Code::Invalid, "TLS needs a certificate and its key");
  if (SSL_CTX_use_certificate(context, certificates.front().get()) != 1) return refused("the certificate");
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, certificates[i].get()) != 1) return refused("the certificate's chain");
  }
  // Without the check, every handshake would fail with "no shared cipher".
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return refused("the key");
  return done();
}

Status askClients(SSL_CTX* context, const TlsSettings& settings) {
  if (settings.clients == ClientCertificates::None) return done();
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);  // an intermediate may be trusted without its root
  const auto issuers = parseCertificates(settings.clientIssuers.pem);
  if (issuers.empty()) return fail(Code::Invalid, "TLS needs the issuers of client certificates");
  for (const auto& issuer : issuers) {
    if (X509_STORE_add_cert(store, issuer.get()) != 1 || SSL_CTX_add_client_CA(context, issuer.get()) != 1)
      return refused("an issuer of client certificates");
  }
  const int required = settings.clients == ClientCertificates::Required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
  SSL_CTX_set_verify_depth(context, kChainDepth);
  return done();
}

void restrict(SSL_CTX* context, bool onlyTls13) {
  SSL_CTX_set_security_level(context, kSecurityLevel);
  LOTSEN_CHECK(SSL_CTX_set_min_proto_version(context, onlyTls13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1);
  LOTSEN_CHECK(SSL_CTX_set_max_proto_version(context, 0) == 1);
  LOTSEN_CHECK(SSL_CTX_set_cipher_list(context, kCiphers) == 1);
  LOTSEN_CHECK(SSL_CTX_set1_groups_list(context, kGroups) == 1);
  // An end without close_notify is an end: the reader of HTTP counts bytes, so nothing can be cut off unnoticed.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                   SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // Needed by whoever verifies clients, even without resumption: OpenSSL refuses sessions without a context.
  LOTSEN_CHECK(SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1) == 1);
  SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
}

Digest256 digestOf(const TlsSettings& settings) {
  Sha256 digest;
  for (const std::string_view part :
       {std::string_view(settings.own.certificatePem), std::string_view(settings.own.keyPem),
        std::string_view(settings.clientIssuers.pem)}) {
    digest.update(std::to_string(part.size()) + ":");
    digest.update(part);
  }
  digest.update(std::to_string(static_cast<int>(settings.clients)) + (settings.onlyTls13 ? "3" : "2"));
  return digest.finish();
}

}  // namespace

bool restrictClient(void* sslContext, const std::string& host) {
  auto* context = static_cast<SSL_CTX*>(sslContext);
  SSL_CTX_set_security_level(context, kSecurityLevel);
  X509_VERIFY_PARAM* wanted = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool address = X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1;
  const bool set = address || X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) == 1;
  ERR_clear_error();
  return set;
}

struct TlsServer::State {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  Digest256 digest{};

  State() { LOTSEN_CHECK(context != nullptr); }
  ~State() { SSL_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

TlsServer::TlsServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsServer::~TlsServer() = default;

Result<std::shared_ptr<const TlsServer>> TlsServer::create(const TlsSettings& settings) {
  ERR_clear_error();
  auto state = std::make_unique<State>();
  restrict(state->context, settings.onlyTls13);
  LOTSEN_TRY_DO(useKeyPair(state->context, settings.own));
  LOTSEN_TRY_DO(askClients(state->context, settings));
  state->digest = digestOf(settings);
  return std::shared_ptr<const TlsServer>(new TlsServer(std::move(state)));
}

bool TlsServer::sameAs(const TlsServer& other) const {
  return state_->digest == other.state_->digest;
}

struct TlsChannel::State {
  SSL* ssl;
  bool over = false;  // failed or said goodbye: OpenSSL must not be asked again

  explicit State(SSL_CTX* context) : ssl(SSL_new(context)) { LOTSEN_CHECK(ssl != nullptr); }
  ~State() { SSL_free(ssl); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

TlsChannel::TlsChannel(std::shared_ptr<const TlsServer> server, int descriptor)
    : server_(std::move(server)), state_(std::make_unique<State>(server_->state_->context)) {
  LOTSEN_CHECK(SSL_set_fd(state_->ssl, descriptor) == 1);
  SSL_set_accept_state(state_->ssl);
}

TlsChannel::~TlsChannel() = default;

// The thread's error queue must be empty before each call: SSL_get_error takes an entry that a stranger's connection
// left there for a fault of this one.
template <typename Operation>
IoResult TlsChannel::call(Operation operation) {
  ERR_clear_error();
  std::size_t moved = 0;
  const int outcome = operation(moved);
  if (outcome == 1) return {Io::Done, moved};
  switch (SSL_get_error(state_->ssl, outcome)) {
    case SSL_ERROR_WANT_READ: return {Io::WantRead};
    case SSL_ERROR_WANT_WRITE: return {Io::WantWrite};
    case SSL_ERROR_ZERO_RETURN: return {Io::End};
    default: break;
  }
  state_->over = true;
  const long verdict = SSL_get_verify_result(state_->ssl);
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  if (verdict != X509_V_OK) {
    fault_ = "the client's certificate is refused: " + std::string(verifyFault(verdict));
  } else {
    fault_ = reason != nullptr ? reason : "the connection was closed or reset";
  }
  ERR_clear_error();
  return {Io::Error};
}

IoResult TlsChannel::handshake() {
  IoResult result = call([this](std::size_t&) { return SSL_do_handshake(state_->ssl); });
  if (result.io != Io::End) return result;
  state_->over = true;
  fault_ = "the connection was closed or reset";
  return {Io::Error};
}

IoResult TlsChannel::read(std::span<char> into) {
  if (state_->over) return {Io::Error};
  return call([&](std::size_t& moved) { return SSL_read_ex(state_->ssl, into.data(), into.size(), &moved); });
}

IoResult TlsChannel::write(std::string_view bytes) {
  if (state_->over) return {Io::Error};
  return call([&](std::size_t& moved) { return SSL_write_ex(state_->ssl, bytes.data(), bytes.size(), &moved); });
}

void TlsChannel::finish() {
  if (state_->over || SSL_is_init_finished(state_->ssl) == 0) return;
  if ((SSL_get_shutdown(state_->ssl) & SSL_SENT_SHUTDOWN) != 0) return;
  ERR_clear_error();
  SSL_shutdown(state_->ssl);
  ERR_clear_error();
}

bool TlsChannel::holds() const {
  return SSL_pending(state_->ssl) > 0;
}

std::optional<Certificate> TlsChannel::peer() const {
  if (SSL_is_init_finished(state_->ssl) == 0 || SSL_get_verify_result(state_->ssl) != X509_V_OK) return std::nullopt;
  const X509Pointer certificate(SSL_get1_peer_certificate(state_->ssl));
  if (!certificate) return std::nullopt;
  return describe(*certificate);
}

}  // namespace lotsen::crypto
