#include "gateway/queue/outcome.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace lotsen::queue {

namespace {

struct Row {
  int status;
  Outcome outcome;
  const char* reason;
  bool blamesEndpoint;
  std::uint32_t parkAfter;
};

constexpr Row kTable[] = {
    {200, Outcome::Done, "", false, 0},
    {201, Outcome::Done, "", false, 0},
    {202, Outcome::Done, "", false, 0},
    {204, Outcome::Done, "", false, 0},
    {400, Outcome::Park, "refused-400", false, 0},
    {401, Outcome::PauseEndpoint, "credentials-refused", true, 0},
    {403, Outcome::PauseEndpoint, "credentials-refused", true, 0},
    {404, Outcome::Park, "refused-404", false, 0},
    {405, Outcome::Park, "refused-405", false, 0},
    {406, Outcome::Park, "refused-406", false, 0},
    {408, Outcome::Retry, "receiver-timeout", true, 0},
    {409, Outcome::Conflict, "conflict", false, 3},
    {410, Outcome::Park, "refused-410", false, 0},
    {412, Outcome::Conflict, "conflict", false, 3},
    {413, Outcome::Park, "refused-413", false, 0},
    {415, Outcome::Park, "refused-415", false, 0},
    {422, Outcome::Park, "refused-422", false, 0},
    {425, Outcome::Retry, "receiver-busy", true, 0},
    {429, Outcome::Retry, "receiver-busy", true, 0},
    {500, Outcome::Ambiguous, "receiver-failed", true, 5},
    {501, Outcome::Park, "refused-501", false, 0},
    {502, Outcome::Ambiguous, "proxy-failed", true, 0},
    {503, Outcome::Retry, "receiver-busy", true, 0},
    {504, Outcome::Ambiguous, "proxy-failed", true, 0},
};
constexpr Row kUnforeseen = {0, Outcome::Park, "unexpected-status", false, 0};

constexpr milliseconds kLongestRetryAfter = std::chrono::minutes(15);

const Row& rowOf(int status) {
  const auto* found =
      std::find_if(std::begin(kTable), std::end(kTable), [&](const Row& row) { return row.status == status; });
  return found == std::end(kTable) ? kUnforeseen : *found;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7; the two obsolete forms are not worth reading).
std::optional<Instant> httpDate(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || text.substr(25) != " GMT") return std::nullopt;
  const auto day = number(text.substr(5, 2)), year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2)), minute = number(text.substr(20, 2)),
             second = number(text.substr(23, 2));
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (!day || !year || !hour || !minute || !second || month == std::string_view::npos || month % 3 != 0)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return Instant(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

}  // namespace

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::Done: return "done";
    case Outcome::Awaiting: return "awaiting";
    case Outcome::Retry: return "retry";
    case Outcome::Ambiguous: return "ambiguous";
    case Outcome::Conflict: return "conflict";
    case Outcome::PauseEndpoint: return "pause-endpoint";
    case Outcome::Park: return "park";
  }
  return "";
}

std::string_view name(Finding finding) {
  switch (finding) {
    case Finding::Accepted: return "read-back-accepted";
    case Finding::Arrived: return "read-back-arrived";
    case Finding::Absent: return "read-back-absent";
    case Finding::Unclear: return "read-back-unclear";
    case Finding::NoAnswer: return "read-back-failed";
  }
  return "";
}

Verdict classifyHttp(const Answer& answer) {
  if (answer.phase == Phase::Unsent) return {Outcome::Retry, "unreachable", 0};
  if (answer.phase == Phase::Sent) return {Outcome::Ambiguous, "answer-lost", 0};
  const Row& row = rowOf(answer.status);
  return {row.outcome, row.reason, row.parkAfter};
}

bool blamesEndpoint(const Answer& answer) {
  return answer.phase != Phase::Answered || rowOf(answer.status).blamesEndpoint;
}

std::optional<milliseconds> retryAfter(const Answer& answer, Instant now) {
  for (const auto& [field, value] : answer.fields) {
    if (!equalsIgnoreCase(field, "retry-after")) continue;
    const std::string_view text = trim(value);
    milliseconds wait{0};
    if (const auto seconds = number(text)) {
      wait = std::chrono::seconds(std::min<std::int64_t>(*seconds, 86400));
    } else if (const auto date = httpDate(text)) {
      wait = std::max(milliseconds(0), *date - now);
    } else {
      return std::nullopt;
    }
    return std::min(wait, kLongestRetryAfter);
  }
  return std::nullopt;
}

}  // namespace lotsen::queue
