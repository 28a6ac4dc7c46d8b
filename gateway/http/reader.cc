#include "gateway/http/reader.h"

#include "gateway/base/result.h"
#include "gateway/http/body.h"
#include "gateway/http/head.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace lotsen::http {

namespace {

constexpr std::size_t kSmallBuffer = 8 * 1024;
constexpr std::size_t kLargeBuffer = 64 * 1024;  // when a large body is coming: fewer system calls

}  // namespace

struct RequestReader::Message {
  Head head;
  std::size_t limit = 0;
  std::optional<BodyReader> body;
};

RequestReader::RequestReader(const Limits& limits) : limits_(limits) {}
RequestReader::~RequestReader() = default;

std::span<char> RequestReader::prepare() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  std::size_t wanted = std::max(capacity_, kSmallBuffer);
  if (state_ == State::Body && message_->body && message_->body->expected() > kLargeBuffer)
    wanted = std::max(wanted, kLargeBuffer);
  if (capacity_ - end_ < 1024) wanted = std::max(wanted, capacity_ * 2);
  if (wanted > capacity_) {
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (end_ > 0) std::memcpy(larger.get(), buffer_.get(), end_);
    buffer_ = std::move(larger);
    capacity_ = wanted;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void RequestReader::commit(std::size_t count) {
  LOTSEN_CHECK(count <= capacity_ - end_);
  end_ += count;
}

Event RequestReader::step() {
  switch (state_) {
    case State::Head: return stepHead();
    case State::Body: return stepBody();
    case State::Complete: return Event::Complete;
    case State::Failed: break;
  }
  return Event::Failed;
}

// Each byte is judged once, with only the bytes before it: so the outcome cannot depend on how the input was split.
// Returns why the byte is refused (then `status` is set), else nullptr.
const char* RequestReader::scanByte(const char* head, std::size_t at, int& status) {
  status = 400;
  const auto c = static_cast<unsigned char>(head[at]);
  const char before = at > 0 ? head[at - 1] : '\n';
  if (before == '\r' && c != '\n') return "bare carriage return";
  if ((c > 0x20 && c < 0x7f) || c == '\r') return nullptr;
  if (c == ' ' || c == '\t') return before == '\n' ? "folded or indented line" : nullptr;
  if (c != '\n') return "byte not allowed in the head";
  if (before != '\r') return "bare line feed";
  if (at == 1) return "empty line before the request";
  if (head[at - 2] == '\n') return nullptr;  // the end of the head
  ++lines_;
  if (lines_ == 1) {
    const std::string_view line(head, at - 1);
    if (line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0")) return nullptr;
    status = 505;
    return "not HTTP/1.1 or HTTP/1.0";
  }
  if (lines_ <= limits_.fields + 1) return nullptr;
  status = 431;
  return "too many fields";
}

Event RequestReader::stepHead() {
  const char* head = buffer_.get() + begin_;
  const std::size_t available = std::min(end_ - begin_, limits_.head);
  std::size_t size = 0;
  for (std::size_t i = scanned_; i < available && size == 0; ++i) {
    int status = 0;
    if (const char* why = scanByte(head, i, status)) return fail(status, why);
    if (head[i] == '\n' && i >= 3 && head[i - 2] == '\n') size = i + 1;
  }
  if (size == 0) {
    scanned_ = available;
    if (end_ - begin_ <= limits_.head) return Event::NeedData;
    return fail(lines_ == 0 ? 414 : 431, "head too large");
  }

  auto message = std::make_unique<Message>();
  const Failure failure = readHead({head, size}, limits_, message->head);
  if (failure.status != 0) return fail(failure.status, failure.why);
  message->limit = limits_.body;
  message_ = std::move(message);
  begin_ += size;
  scanned_ = lines_ = 0;
  state_ = State::Body;
  return Event::Head;
}

Event RequestReader::stepBody() {
  auto& body = message_->body;
  if (!body) body.emplace(message_->head, limits_, message_->limit, message_->head.request.body);
  begin_ += body->read({buffer_.get() + begin_, end_ - begin_});
  if (body->failure().status != 0) return fail(body->failure().status, body->failure().why);
  if (!body->done()) return Event::NeedData;
  state_ = State::Complete;
  return Event::Complete;
}

Event RequestReader::fail(int status, const char* why) {
  state_ = State::Failed;
  message_.reset();
  failure_ = {status, why};
  return Event::Failed;
}

Event RequestReader::endOfInput() {
  return betweenMessages() ? fail(0, "closed") : fail(400, "request is cut short");
}
Event RequestReader::giveUp(int status, const char* why) {
  return fail(status, why);
}

const Request& RequestReader::head() const {
  LOTSEN_CHECK(message_ != nullptr);
  return message_->head.request;
}

void RequestReader::limitBody(std::size_t bytes) {
  LOTSEN_CHECK(message_ != nullptr && !message_->body);
  message_->limit = bytes;
}

bool RequestReader::expectsContinue() const {
  return message_ != nullptr && message_->head.expectsContinue;
}
std::size_t RequestReader::bodyBytes() const {
  return message_ != nullptr ? message_->head.request.body.size() : 0;
}

Request RequestReader::take() {
  LOTSEN_CHECK(state_ == State::Complete);
  Request request = std::move(message_->head.request);
  message_.reset();
  state_ = State::Head;
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ > kSmallBuffer) {  // a waiting connection keeps no large buffer
      buffer_.reset();
      capacity_ = 0;
    }
  }
  return request;
}

}  // namespace lotsen::http
