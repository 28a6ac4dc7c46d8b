#include "gateway/inbound/connection.h"

#include "gateway/http/writer.h"

#include <algorithm>
#include <typeinfo>

namespace lotsen::inbound {

namespace {

// Small bodies travel in one piece with their head, and are not worth counting while they arrive.
constexpr std::size_t kSmallBody = 64 * 1024;

// What a peer may still send while it reads a refusal.
constexpr std::size_t kLingerBytes = 1024 * 1024;

}  // namespace

bool BodyBudget::take(std::size_t bytes) {
  if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_) return true;
  give(bytes);
  return false;
}

http::Response refusal(const Shared& shared, int status, std::string_view why) {
  http::Response response;
  try {
    response = shared.application.refuse(status, why);
  } catch (...) {
    shared.handlerFailures.add();
    response = http::Response::text(status, std::string(why) + "\n");
  }
  const bool says = std::any_of(response.fields.begin(), response.fields.end(),
                                [](const http::Field& field) { return field.name == "Retry-After"; });
  if (status == 503 && !says) response.fields.push_back({"Retry-After", "1"});
  return response;
}

Connection::Connection(std::unique_ptr<Poco::Net::StreamSocket> socket, Shared& shared)
    : shared_(shared),
      channel_(std::move(socket), shared.tls()),
      info_{channel_.peer(), std::nullopt},
      reader_(shared.config.limits) {}

Connection::~Connection() {
  releaseBody();
}

void Connection::run() {
  if (!shakeHands()) return;
  for (;;) {
    const After after = exchange();
    if (after == After::Continue) continue;
    if (after == After::Linger) linger();
    return;
  }
}

// False: there is no connection. A peer that was refused gets time to read why: closing at once would make the kernel
// send a reset, as it has sent its request along with its certificate (TLS 1.3), and the alert could be lost.
bool Connection::shakeHands() {
  if (channel_.tls() == nullptr) return true;
  if (shared_.draining) return false;  // as in exchange(): stop() sees that we are idle, or we see this
  deadline_.start(shared_.config.handshakeTime);
  std::string why;
  Io io = channel_.handshake(why);
  while (io == Io::WantRead || io == Io::WantWrite) {
    if (!channel_.wait(io, deadline_)) {
      countTimeout("handshake");
      return false;
    }
    io = channel_.handshake(why);
  }
  if (io == Io::Done) {
    shared_.handshakes.add();
    info_.certificate = channel_.tls()->peer();
    return true;
  }
  shared_.handshakeFailures.add();
  shared_.log.info("http.handshake_failed", {{"peer", info_.peer}, {"why", why}});
  linger();
  return false;
}

Connection::After Connection::exchange() {
  // Store, then load: stop() does the reverse, so at least one of us sees the other.
  idle_ = true;
  echoes_.clear();
  if (shared_.draining && reader_.betweenMessages()) return After::Close;
  http::Event event = readHead();
  idle_ = false;
  if (event == http::Event::Head) {
    keepEchoes(reader_.head());
    if (const auto refused = admit()) return *refused;
    event = readBody();
  }
  if (event == http::Event::Failed) return refuse(reader_.failure());
  return answer(reader_.take());
}

http::Event Connection::readHead() {
  phase_ = Phase::None;
  return await();
}

void Connection::keepEchoes(const http::Request& head) {
  for (const std::string& name : shared_.application.echoed) {
    const std::string* value = head.find(name);
    if (value != nullptr && !value->empty() && value->size() <= Application::kLongestEcho)
      echoes_.push_back({name, *value});
  }
}

// Asks the application about the head. A value: it was answered without reading the body.
std::optional<Connection::After> Connection::admit() {
  Admission admission;
  try {
    admission = shared_.application.admit(reader_.head(), info_);
  } catch (...) {
    shared_.handlerFailures.add();
    shared_.log.error("http.admission_failed", {{"method", reader_.head().method}});
    admission.refusal = refusal(shared_, 500, "internal error");
  }
  if (admission.refusal) return send(*admission.refusal, false, reader_.head().method) ? After::Linger : After::Close;
  reader_.limitBody(admission.bodyLimit);
  return std::nullopt;
}

http::Event Connection::readBody() {
  const bool expectsContinue = reader_.expectsContinue();
  const http::Event event = reader_.step();
  if (event != http::Event::NeedData) return event;
  if (expectsContinue && reader_.bodyBytes() == 0) {
    deadline_.start(shared_.config.writeGrace);
    if (!sendBytes("HTTP/1.1 100 Continue\r\n\r\n", 0)) return reader_.giveUp(0, "connection lost");
  }
  return await();
}

// Reads until the reader has something to say; lateness and lost connections become its failure.
http::Event Connection::await() {
  for (;;) {
    const http::Event event = reader_.step();
    if (event != http::Event::NeedData) return event;
    // A new connection must speak within the head time; a kept one may idle.
    enter(reader_.inBody() ? Phase::Body : reader_.betweenMessages() && !first_ ? Phase::Idle : Phase::Head);
    if (phase_ == Phase::Body && !holdBody()) return reader_.giveUp(503, "too many large bodies at once");
    if (phase_ == Phase::Idle && !channel_.holds() && !channel_.wait(Io::WantRead, deadline_)) return late();
    const IoResult got = channel_.read(reader_.prepare());
    switch (got.io) {
      case Io::Done:
        reader_.commit(got.bytes);
        if (deadline_.passed()) return late();
        break;
      case Io::End: return reader_.endOfInput();
      case Io::Error: return reader_.giveUp(0, "connection lost");
      case Io::WantRead:
      case Io::WantWrite:
        if (!channel_.wait(got.io, deadline_)) return late();
    }
  }
}

// The due time of the phase; in a body it moves with what has arrived.
void Connection::enter(Phase phase) {
  const ServerConfig& config = shared_.config;
  if (phase == phase_) {
    if (phase == Phase::Body) deadline_.extend(reader_.bodyBytes(), config.floorRate, config.exchangeTime);
    return;
  }
  phase_ = phase;
  if (phase == Phase::Idle) {
    const bool busy = shared_.open * 4 >= config.maxConnections * 3;
    deadline_.start(busy ? std::min(config.idleTime, config.busyIdleTime) : config.idleTime);
  } else {
    deadline_.start(phase == Phase::Head ? config.headTime : config.bodyGrace);
  }
}

http::Event Connection::late() {
  if (reader_.betweenMessages()) return reader_.giveUp(0, "idle");
  countTimeout(phase_ == Phase::Body ? "body" : "head");
  return reader_.giveUp(408, "the request took too long to arrive");
}

bool Connection::holdBody() {
  const std::size_t bytes = reader_.bodyBytes();
  if (bytes <= kSmallBody || bytes <= held_) return true;
  if (!shared_.budget.take(bytes - held_)) return false;
  held_ = bytes;
  return true;
}

void Connection::releaseBody() {
  if (held_ == 0) return;
  shared_.budget.give(held_);
  held_ = 0;
}

Connection::After Connection::refuse(const http::Failure& failure) {
  releaseBody();  // the reader has dropped it
  if (failure.status == 0) return After::Close;
  shared_.metrics
      .counter("lotsen_http_refused_total", "Requests that the listener refused, by status",
               {{"status", std::to_string(failure.status)}})
      .add();
  shared_.log.info("http.refused", {{"peer", info_.peer}, {"status", failure.status}, {"why", failure.why}});
  return send(refusal(shared_, failure.status, failure.why), false, "") ? After::Linger : After::Close;
}

Connection::After Connection::answer(http::Request request) {
  const http::Response response = handle(request);
  std::string().swap(request.body);  // a peer that reads slowly shall not hold it
  releaseBody();
  first_ = false;
  // Nobody stays for long under a certificate, or trusted by issuers, that a reload has replaced.
  const bool outdated = channel_.tls() != nullptr && channel_.tls()->server() != shared_.tls();
  const bool keepAlive = request.keepAlive && !response.close && !shared_.draining && !outdated;
  if (!send(response, keepAlive, request.method)) return After::Close;
  if (keepAlive) return After::Continue;
  // A peer that asked for the close sends nothing more, so nothing of its can turn our close into a reset.
  return !request.keepAlive && reader_.betweenMessages() ? After::Close : After::Linger;
}

http::Response Connection::handle(const http::Request& request) {
  // The text of an exception may hold anything, so only its type is logged.
  const char* what = "not a std::exception";
  try {
    return shared_.application.handle(request, info_);
  } catch (const std::exception& exception) { what = typeid(exception).name(); } catch (...) {
  }
  shared_.handlerFailures.add();
  shared_.log.error("http.handler_failed", {{"method", request.method}, {"exception", what}});
  return refusal(shared_, 500, "internal error");
}

bool Connection::send(const http::Response& response, bool keepAlive, std::string_view method) {
  const http::WriteOptions options{.keepAlive = keepAlive, .now = shared_.clock.now(), .more = echoes_};
  auto head = http::writeHead(response, options);
  if (!head.ok()) {
    shared_.handlerFailures.add();
    shared_.log.error("http.response_refused", {{"why", head.error().message}});
    const http::Response failed = http::Response::text(500, "internal error\n");
    head = http::writeHead(failed, options);
    deadline_.start(shared_.config.writeGrace);
    return sendBytes(*head + std::string(http::bodyOnWire(failed, method)), 0);
  }
  const auto body = http::bodyOnWire(response, method);
  deadline_.start(shared_.config.writeGrace);
  if (body.size() <= kSmallBody) return sendBytes(head->append(body), 0);
  return sendBytes(*head, 0) && sendBytes(body, head->size());
}

bool Connection::sendBytes(std::string_view bytes, std::size_t sentBefore) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const IoResult put = channel_.write(bytes.substr(sent));
    if (put.io == Io::Done) {
      sent += put.bytes;
      deadline_.extend(sentBefore + sent, shared_.config.floorRate, shared_.config.exchangeTime);
    } else if (put.io == Io::End || put.io == Io::Error) {
      return false;
    } else if (!channel_.wait(put.io, deadline_)) {
      countTimeout("write");
      return false;
    }
  }
  return true;
}

// Closing a socket with unread input makes the kernel send a reset, which can destroy the answer on its way.
void Connection::linger() {
  channel_.finish();
  if (shared_.draining) return;
  deadline_.start(shared_.config.lingerTime);
  char scrap[4096];
  for (std::size_t total = 0; total < kLingerBytes;) {
    const IoResult got = channel_.read(scrap);
    if (got.io == Io::Done) {
      total += got.bytes;
    } else if (got.io == Io::End || got.io == Io::Error || !channel_.wait(got.io, deadline_)) {
      return;
    }
  }
}

void Connection::countTimeout(std::string_view phase) {
  shared_.metrics
      .counter("lotsen_http_timeouts_total", "Connections that were too slow, by what was waited for",
               {{"phase", std::string(phase)}})
      .add();
}

}  // namespace lotsen::inbound
