// lotsen partner simulate: what the delivery core would make of an answer, asked of the same functions that it asks.
#include "gateway/app/arguments.h"
#include "gateway/app/loader.h"
#include "gateway/app/verbs.h"
#include "gateway/base/text.h"
#include "gateway/json/writer.h"
#include "gateway/service/acknowledgement.h"
#include "gateway/service/reasons.h"

#include <algorithm>
#include <charconv>
#include <iostream>

namespace lotsen::app {

namespace {

using queue::Outcome;
using store::DeliveryState;

constexpr std::string_view kMessageId = "00000000-0000-4000-8000-000000000001";
constexpr std::string_view kTransferId = "00000000-0000-4000-8000-000000000002";

/// 100 to 599, or 0.
int statusOf(std::string_view text) {
  int status = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), status);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  return whole && text.size() == 3 && status >= 100 && status <= 599 ? status : 0;
}

bool isCode(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '/';
  });
}

std::string acknowledgement(std::string_view code) {
  std::string body;
  json::Writer writer(body);
  writer.startObject().member("resourceType", "Bundle").member("type", "message");
  writer.key("entry").startArray().startObject().key("resource").startObject();
  writer.member("resourceType", "MessageHeader").key("response").startObject();
  writer.member("identifier", kMessageId).member("code", code).endObject();
  writer.endObject().endObject().endArray().endObject();
  return body;
}

/// An OperationOutcome with this error: "REC_CONFLICT/duplicate", "REC_CONFLICT", or none of its own.
std::string refusal(std::string_view code) {
  const auto slash = code.find('/');
  std::string body;
  json::Writer writer(body);
  writer.startObject().member("resourceType", "OperationOutcome").key("issue").startArray().startObject();
  writer.member("severity", "error").member("code", slash == code.npos ? "processing" : code.substr(slash + 1));
  if (!code.empty()) {
    writer.key("details").startObject().key("coding").startArray().startObject();
    writer.member("code", code.substr(0, slash)).endObject().endArray().endObject();
  }
  writer.endObject().endArray().endObject();
  return body;
}

/// The receiver's own answer, with our ids, as a receiver would give it.
queue::Answer answerOf(std::string_view code, int status) {
  queue::Answer answer;
  answer.phase = queue::Phase::Answered;
  answer.status = status;
  answer.fields = {{"X-Request-Id", std::string(kMessageId)}, {"X-Correlation-Id", std::string(kTransferId)}};
  if (statusOf(code) != 0) {
    if (status >= 400) answer.body = refusal({});
  } else {
    answer.body = status >= 400 || code.find('/') != code.npos ? refusal(code) : acknowledgement(code);
  }
  return answer;
}

std::string span(milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  if (time.count() % 1000 != 0) return std::to_string(time.count()) + "ms";
  if (seconds % 3600 == 0) return std::to_string(seconds / 3600) + "h";
  return seconds % 60 == 0 ? std::to_string(seconds / 60) + "min" : std::to_string(seconds) + "s";
}

std::string next(DeliveryState state, Outcome outcome, const queue::Endpoint& lane) {
  switch (state) {
    case DeliveryState::Done: return "nothing: the receiver has it";
    case DeliveryState::Awaiting:
      return "its acknowledgement is awaited; without one in " + span(lane.acknowledgeWithin) + " it is an alarm";
    case DeliveryState::Parked: return "a person decides; docs/reasons.md says how";
    default: break;
  }
  const bool asked = state == DeliveryState::Resolving && !lane.idempotent;
  std::string text = asked ? "the receiver is asked whether it has it, after " + span(lane.readBackAfter)
                           : "the same bytes are sent again, after up to " + span(lane.backoffBase) +
                                 ", doubling up to " + span(lane.backoffCap) + ", or what Retry-After asks for";
  if (outcome == Outcome::PauseEndpoint) text += "; the endpoint pauses for " + span(queue::Breaker::kLongestOpen);
  if (!asked && lane.resends) text += "; at most " + std::to_string(*lane.resends) + " times";
  if (!asked && lane.resendWithin.count() > 0) text += ", within " + span(lane.resendWithin) + " of the first";
  return text;
}

int simulate(const Loaded& loaded, const service::Partner& partner, const queue::Endpoint& lane, std::string_view code,
             int status) {
  store::Claimed claimed;
  claimed.delivery.partner = partner.id;
  claimed.delivery.messageId = kMessageId;
  claimed.delivery.transfer = kTransferId;
  auto verdict = service::classifyAnswer(*loaded.configuration, claimed, answerOf(code, status));
  const auto limit = verdict.parkAfter;
  const auto state = queue::stateAfter(verdict, lane, 1, false);
  std::cout << "partner: " << partner.id << ", personality " << partner.personality.name << '\n'
            << "answer: " << status << (statusOf(code) != 0 ? "" : ", " + std::string(code)) << '\n'
            << "outcome: " << queue::name(verdict.outcome) << '\n'
            << "state: " << store::name(state) << '\n';
  if (!verdict.reason.empty()) std::cout << "reason: " << verdict.reason << '\n';
  std::cout << "then: " << next(state, verdict.outcome, lane) << '\n';
  if (limit > 1 && state != DeliveryState::Parked) std::cout << "limit: parked after " << limit << " attempts\n";
  return verdict.reason == service::reason::kUnknownAcknowledgement ? kDataFailed : kFine;
}

}  // namespace

int partnerVerb(const Words& words) {
  static const Usage kUsage{
      "partner simulate",
      "PARTNER CODE",
      "What a delivery to PARTNER would do after an answer with this code: a response code (fatal-error, AE), the code "
      "of an error (REC_CONFLICT/duplicate), or an HTTP status alone (503). Ends with 1 if its dictionary lacks a "
      "response code. Nothing is sent.",
      {{"--config", "FILE", "the configuration"},
       {"--status", "N", "the HTTP status with it (default: 200; 400 and more: the code is in an OperationOutcome)"}},
      2,
      2};
  if (words.empty() || words[0] != "simulate") {
    const bool help = !words.empty() && (words[0] == "--help" || words[0] == "-h");
    (help ? std::cout : std::cerr) << "usage: lotsen partner simulate PARTNER CODE --config FILE; see lotsen partner "
                                      "simulate --help\n";
    return help ? kFine : kWrongUse;
  }
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, Words(words.begin() + 1, words.end()), exit);
  if (!arguments) return exit;
  const auto wrong = [](const std::string& what) {
    std::cerr << "lotsen partner simulate: " << what << '\n';
    return kWrongUse;
  };
  if (!arguments->has("--config")) return wrong("--config FILE is needed");
  const std::string name = arguments->positional()[0], code = arguments->positional()[1];
  if (!isCode(code)) return wrong("a code has letters, digits, '-', '_', '.' and '/' only");
  const int alone = statusOf(code);
  const int status = alone != 0 ? alone : statusOf(arguments->one("--status", "200"));
  if (status == 0) return wrong("--status must be an HTTP status from 100 to 599");

  Faults faults;
  const auto loaded = load(arguments->one("--config"), faults);
  for (const auto& fault : faults.list) std::cerr << told(fault) << '\n';
  if (!loaded) return kWrongUse;
  const auto* partner = loaded->configuration->partner(name);
  const auto& lanes = loaded->settings.lanes;
  const auto lane = std::find_if(lanes.begin(), lanes.end(), [&](const auto& each) { return each.id == name; });
  if (partner != nullptr && lane != lanes.end()) return simulate(*loaded, *partner, *lane, code, status);
  std::vector<std::string_view> known;
  known.reserve(lanes.size());
  for (const auto& each : lanes) known.push_back(each.id);
  const auto near = nearest(name, known);
  return wrong((partner == nullptr ? "there is no partner " : "nothing is sent to partner ") + name +
               (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
}

}  // namespace lotsen::app
