#include "gateway/outbound/http_sender.h"

#include "gateway/base/text.h"
#include "gateway/crypto/tls.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace lotsen::outbound {
namespace {

constexpr long kMaxIdleSeconds = 30;
constexpr long kMaxLifeSeconds = 600;
constexpr long kKeptConnections = 64;
constexpr int kPollMillis = 1'000;

bool isFieldText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c != '\x7f'; });
}

/// The first line of the endpoint's token file.
Result<std::string> readToken(const Endpoint& endpoint) {
  std::string text;
  if (!readFile(endpoint.tokenFile, text))
    return fail(Code::Unavailable, "the token file of endpoint \"" + endpoint.id + "\" cannot be read");
  const std::string_view line = trim(split(text, '\n').front());
  if (line.empty() || !isFieldText(line))
    return fail(Code::Invalid, "the token file of endpoint \"" + endpoint.id + "\" has no token in its first line");
  return std::string(line);
}

/// One POST on its way: everything that libcurl points into lives here.
struct Exchange {
  const Endpoint* endpoint = nullptr;
  std::shared_ptr<const Tls> tls;
  std::string host;  // that the receiver's certificate must name
  queue::Sending sending;
  CURL* easy = nullptr;
  curl_slist* fields = nullptr;
  std::array<char, CURL_ERROR_SIZE> error{};
  queue::Answer answer;
  std::size_t headSize = 0;
  bool headEnded = false;  // libcurl takes a connection that ends within the head for a whole answer
  bool tooLarge = false;

  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    if (easy != nullptr) curl_easy_cleanup(easy);
    curl_slist_free_all(fields);
  }

  bool addField(const std::string& name, const std::string& value) {
    if (!isFieldText(value)) return false;
    // "Name:" would make libcurl drop the field; "Name;" sends it without a value.
    curl_slist* longer = curl_slist_append(fields, (value.empty() ? name + ";" : name + ": " + value).c_str());
    if (longer == nullptr) return false;
    fields = longer;
    return true;
  }
};

std::size_t onBody(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.answer.body.size() + size > HttpSender::kMaxResponse) {
    exchange.tooLarge = true;
    return 0;
  }
  exchange.answer.body.append(data, size);
  return size;
}

std::size_t onHead(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.headSize += size;
  if (exchange.headSize > HttpSender::kMaxHead) {
    exchange.tooLarge = true;
    return 0;
  }
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {
    exchange.answer.fields.clear();  // a 100 came first: the last head counts
    exchange.headEnded = false;
  } else if (trim(line).empty()) {
    exchange.headEnded = true;
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    exchange.answer.fields.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  return size;
}

void setBytes(CURL* easy, CURLoption option, const std::string& bytes) {
  // The exchange holds them for as long as the handle lives.
  curl_blob blob{const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_NOCOPY};
  curl_easy_setopt(easy, option, &blob);
}

CURLcode onTlsContext(CURL*, void* context, void* host) {
  return crypto::restrictClient(context, *static_cast<const std::string*>(host)) ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

void setTls(CURL* easy, const Tls* tls, const std::string& host) {
  curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  if (tls == nullptr) return;
  curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                   static_cast<long>(tls->onlyTls13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, "ECDHE+AESGCM:ECDHE+CHACHA20");  // of TLS 1.2
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  // libcurl's own look at the name is satisfied with a common name. Connections are kept by host, so the context of a
  // kept one has demanded the same.
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, onTlsContext);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, &host);
  curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  setBytes(easy, CURLOPT_CAINFO_BLOB, tls->trusted.pem);
  if (tls->own.keyPem.empty()) return;
  setBytes(easy, CURLOPT_SSLCERT_BLOB, tls->own.certificatePem);
  setBytes(easy, CURLOPT_SSLKEY_BLOB, tls->own.keyPem);
}

void setLimits(CURL* easy, const Endpoint& endpoint) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(endpoint.connectTimeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(endpoint.totalTimeout.count()));
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
  curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, kMaxLifeSeconds);
  const long fresh = endpoint.idempotent ? 0L : 1L;
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, fresh);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, fresh);
}

void setSurroundings(CURL* easy, const Endpoint& endpoint) {
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  // checkEndpoint() has seen to it that http is a loopback host.
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, endpoint.url.starts_with("https") ? "https" : "http");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, nullptr);
}

Status setFields(Exchange& exchange) {
  const queue::Sending& sending = exchange.sending;
  const auto& own = exchange.endpoint->fields;
  const bool accepts =
      std::any_of(own.begin(), own.end(), [](const auto& field) { return equalsIgnoreCase(field.first, "Accept"); });
  bool ok = exchange.addField("User-Agent", "lotsen");
  if (!accepts) ok = ok && exchange.addField("Accept", "application/fhir+json");
  if (sending.purpose == queue::Purpose::Deliver) ok = ok && exchange.addField("Content-Type", sending.mediaType);
  if (!sending.messageId.empty()) ok = ok && exchange.addField("X-Request-Id", sending.messageId);
  if (!sending.transfer.empty()) ok = ok && exchange.addField("X-Correlation-Id", sending.transfer);
  for (const auto& [name, value] : own) ok = ok && exchange.addField(name, value);
  if (!exchange.endpoint->tokenFile.empty()) {
    LOTSEN_TRY(const std::string token, readToken(*exchange.endpoint));
    ok = ok && exchange.addField("Authorization", "Bearer " + token);
  }
  // Without a value libcurl leaves the field out; else bodies over 1 MiB wait up to a second for a "100 Continue".
  curl_slist* longer = curl_slist_append(exchange.fields, "Expect:");
  if (!ok || longer == nullptr) return fail(Code::Internal, "a header field of the message holds a control character");
  exchange.fields = longer;
  return done();
}

Status prepare(Exchange& exchange) {
  exchange.answer.delivery = exchange.sending.delivery;
  exchange.answer.token = exchange.sending.token;
  if (exchange.sending.purpose == queue::Purpose::ReadBack && exchange.endpoint->readBackUrl.empty())
    return fail(Code::Internal, "endpoint \"" + exchange.endpoint->id + "\" cannot be asked");
  LOTSEN_TRY_DO(setFields(exchange));
  CURL* easy = exchange.easy = curl_easy_init();
  if (easy == nullptr) return fail(Code::Busy, "libcurl gave no handle");
  const Endpoint& endpoint = *exchange.endpoint;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &exchange);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange.error.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, onBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, onHead);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  setSurroundings(easy, endpoint);
  setLimits(easy, endpoint);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange.fields);
  const bool asks = exchange.sending.purpose == queue::Purpose::ReadBack;
  const std::string url = asks ? readBackUrl(endpoint, exchange.sending.messageId) : endpoint.url;
  exchange.host = hostOf(url);
  setTls(easy, exchange.tls.get(), exchange.host);
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  if (asks) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    return done();
  }
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange.sending.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange.sending.body.size()));
  return done();
}

/// The alert by which the receiver ended TLS, as libcurl's text tells it (OpenSSL's error number: library 20, reason
/// 1000 + alert); 0: none.
unsigned alertOf(std::string_view text) {
  constexpr std::string_view kMark = "error:";
  const auto at = text.find(kMark);
  if (at == text.npos) return 0;
  const std::string_view digits = text.substr(at + kMark.size(), 8);
  std::uint32_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  const std::uint32_t reason = number & 0x7FFFFF;
  return number >> 23 == 20 && reason > 1000 && reason < 1256 ? reason - 1000 : 0;
}

/// handshake_failure, what is said of certificates, decrypt_error, certificate_required (RFC 8446 section 6.2).
bool refusesOurCertificate(unsigned alert) {
  return (alert >= 40 && alert <= 46) || alert == 48 || alert == 49 || alert == 51 || alert == 116;
}

/// REQUESTSIZE counts what was handed to the kernel, over all connections of this exchange.
queue::Phase phaseOf(CURL* easy, bool answered, bool answering, std::string_view text) {
  if (answered) return queue::Phase::Answered;
  // With TLS 1.3 our request travels behind our certificate, before the receiver has looked at that. If it refuses the
  // handshake, it has not opened the request. A new connection only: on an older one the alert is about something else.
  long connects = 0;
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
  if (connects > 0 && !answering && refusesOurCertificate(alertOf(text))) return queue::Phase::Unsent;
  long head = 0;
  curl_off_t body = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &head);
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &body);
  return head > 0 || body > 0 ? queue::Phase::Sent : queue::Phase::Unsent;
}

/// What is wrong with the certificates, in words that say who must act; empty: nothing of that kind.
std::string certificateFault(const Exchange& exchange, CURLcode code, std::string_view text) {
  const unsigned alert = alertOf(text);
  if (refusesOurCertificate(alert)) {
    const auto name = text.substr(std::min(text.rfind("::") + 2, text.size()));
    return (exchange.tls->own.keyPem.empty()
                ? "the receiver refused the connection; does it want a certificate of us (send_certificate_file)? "
                : "the receiver refused our certificate (send_certificate_file): ") +
           std::string(name.substr(0, name.find(',')));
  }
  if (alert == 70) return "the receiver speaks no version of TLS that min_tls allows";
  if (code != CURLE_PEER_FAILED_VERIFICATION) return {};
  long verdict = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
  return "the receiver's certificate is refused (ca_file): " + std::string(crypto::verifyFault(verdict));
}

queue::Answer finish(Exchange& exchange, CURLcode code, std::string_view why) {
  queue::Answer answer = std::move(exchange.answer);
  const std::string_view text(exchange.error.data());
  answer.phase = phaseOf(exchange.easy, code == CURLE_OK && exchange.headEnded, exchange.headSize > 0, text);
  long status = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
  curl_off_t micros = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_TOTAL_TIME_T, &micros);
  answer.took = std::chrono::duration_cast<milliseconds>(std::chrono::microseconds(micros));
  if (answer.phase == queue::Phase::Answered) {
    answer.status = static_cast<int>(status);
    return answer;
  }
  // A half response is no answer: nobody may act on its status or its beginning.
  answer.fields.clear();
  answer.body.clear();
  answer.error = "endpoint \"" + exchange.endpoint->id + "\": ";
  if (!why.empty())
    answer.error += why;
  else if (exchange.tooLarge)
    answer.error += "the response is larger than the limit";
  else if (code == CURLE_OK)
    answer.error += "the connection ended within the head of the response";
  else if (const std::string fault = certificateFault(exchange, code, text); !fault.empty())
    answer.error += fault;
  else
    answer.error += text.empty() ? std::string_view(curl_easy_strerror(code)) : text;
  return answer;
}

}  // namespace

class HttpSender::Loop {
 public:
  explicit Loop(Answers& answers) : answers_(answers) {
    // Once a process, before the first thread that uses libcurl; the language makes the initialisation single.
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    LOTSEN_CHECK(ready == CURLE_OK);
    multi_ = curl_multi_init();
    LOTSEN_CHECK(multi_ != nullptr);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kKeptConnections);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    thread_ = std::thread([this] { run(); });
  }

  ~Loop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void start(const Endpoint& endpoint, std::shared_ptr<const Tls> tls, queue::Sending sending) {
    auto exchange = std::make_unique<Exchange>();
    exchange->endpoint = &endpoint;
    exchange->tls = std::move(tls);
    exchange->sending = std::move(sending);
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(exchange));
    }
    curl_multi_wakeup(multi_);
  }

 private:
  void run() {
    while (takeWaiting()) {
      int active = 0;
      curl_multi_perform(multi_, &active);
      takeFinished();
      curl_multi_poll(multi_, nullptr, 0, kPollMillis, nullptr);
    }
    for (auto& [easy, exchange] : running_) {
      answers_.push(finish(*exchange, CURLE_ABORTED_BY_CALLBACK, "the gateway is stopping"));
      curl_multi_remove_handle(multi_, easy);
    }
    running_.clear();
  }

  /// False when it is time to stop.
  bool takeWaiting() {
    std::vector<std::unique_ptr<Exchange>> fresh;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
      fresh.swap(waiting_);
    }
    for (auto& exchange : fresh) {
      if (const Status ready = prepare(*exchange); !ready.ok()) {
        answers_.push(unsent(exchange->sending, ready.error().message));
        continue;
      }
      CURL* easy = exchange->easy;
      LOTSEN_CHECK(curl_multi_add_handle(multi_, easy) == CURLM_OK);
      running_.emplace(easy, std::move(exchange));
    }
    return true;
  }

  void takeFinished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode code = message->data.result;
      const auto found = running_.find(easy);
      answers_.push(finish(*found->second, code, {}));
      curl_multi_remove_handle(multi_, easy);  // `message` is dead from here on
      running_.erase(found);
    }
  }

  Answers& answers_;
  CURLM* multi_ = nullptr;
  std::mutex mutex_;
  bool stopping_ = false;                                         // guarded by mutex_
  std::vector<std::unique_ptr<Exchange>> waiting_;                // guarded by mutex_
  std::unordered_map<CURL*, std::unique_ptr<Exchange>> running_;  // the thread's own
  std::thread thread_;
};

HttpSender::HttpSender(Answers& answers) : loop_(std::make_unique<Loop>(answers)) {}
HttpSender::~HttpSender() = default;

void HttpSender::start(const Endpoint& endpoint, std::shared_ptr<const Tls> tls, queue::Sending sending) {
  loop_->start(endpoint, std::move(tls), std::move(sending));
}

}  // namespace lotsen::outbound
