#include "gateway/app/personalities.h"

#include "gateway/base/text.h"
#include "gateway/crypto/base64.h"
#include "gateway/fhir/schema.h"
#include "gateway/http/writer.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace lotsen::app {

namespace {

namespace fs = std::filesystem;
using queue::Outcome;
using service::Personality;

constexpr Outcome kMeanings[] = {Outcome::Done, Outcome::Retry, Outcome::Ambiguous, Outcome::PauseEndpoint,
                                 Outcome::Park};

// What the gateway itself says of a message: nobody else may.
constexpr std::string_view kOwnHeaders[] = {"x-request-id",      "x-correlation-id", "authorization",
                                            "content-type",      "content-length",   "host",
                                            "transfer-encoding", "connection",       "expect"};

void readIncoming(Section& section, Personality& personality, Faults& faults) {
  const auto repeats =
      section.choice("duplicate", personality.refusesRepeats ? "conflict" : "replay", {"replay", "conflict"}, faults);
  personality.refusesRepeats = repeats == "conflict";
  personality.demandsIds = section.flag("demands_ids", personality.demandsIds, faults);
  const auto time = section.choice("sent_time", personality.sentTimeInProvenance ? "provenance" : "bundle",
                                   {"bundle", "provenance"}, faults);
  personality.sentTimeInProvenance = time == "provenance";
  const auto focus = section.optional("focus", personality.focus, faults);
  personality.focus = focus == "any" ? "" : focus;
  if (!personality.focus.empty() && fhir::Schema::r4()->findType(personality.focus) == fhir::kNone)
    faults.add(section.file, section.line, "focus must be any, or a resource type of R4; " + focus + " is none");
  const auto limit = static_cast<std::int64_t>(personality.sizeLimit >> 20);
  personality.sizeLimit = static_cast<std::size_t>(section.number("message_limit_mb", limit, 1, 100, faults)) << 20;
  personality.errorSystem = section.optional("error_system", personality.errorSystem, faults);
  for (const auto& entry : section.words("error", faults)) {
    int status = 0;
    const auto* end = entry.key.data() + entry.key.size();
    const auto parsed = std::from_chars(entry.key.data(), end, status);
    if (parsed.ec == std::errc() && parsed.ptr == end && status >= 400 && status <= 599) {
      personality.errors[status] = entry.value;
    } else {
      faults.add(section.file, entry.line, "error STATUS = CODE needs an HTTP status from 400 to 599");
    }
  }
}

void readAnswers(Section& section, Personality& personality, Faults& faults) {
  std::vector<std::string_view> words;
  for (const auto outcome : kMeanings) words.push_back(queue::name(outcome));
  for (const auto& entry : section.choices("answer", words, faults)) {
    if (entry.key.empty()) {
      faults.add(section.file, entry.line, "answer needs a code: answer 409 = park, answer fatal-error = park");
      continue;
    }
    const auto* meaning = std::find_if(std::begin(kMeanings), std::end(kMeanings),
                                       [&](Outcome outcome) { return queue::name(outcome) == entry.value; });
    personality.answers[entry.key] = *meaning;
  }
}

bool isField(const std::string& name, const std::string& value) {
  http::Response probe;
  probe.fields.push_back({name, value});
  return http::writeHead(probe, {}).ok();
}

/// "base64 TEXT" is sent as the base64 of TEXT, any other value as it stands.
void readHeaders(Section& section, Personality& personality, Faults& faults) {
  constexpr std::string_view kBase64 = "base64 ";
  for (const auto& entry : section.words("header", faults)) {
    const bool own = std::any_of(std::begin(kOwnHeaders), std::end(kOwnHeaders),
                                 [&](std::string_view name) { return equalsIgnoreCase(name, entry.key); });
    const std::string value =
        entry.value.starts_with(kBase64) ? crypto::base64Encode(trim(entry.value.substr(kBase64.size()))) : entry.value;
    if (own || !isField(entry.key, value)) {
      faults.add(section.file, entry.line,
                 "header " + entry.key + (own ? ": the gateway sets this one itself" : " = … is no HTTP header field"));
      continue;
    }
    std::erase_if(personality.fields, [&](const auto& field) { return equalsIgnoreCase(field.first, entry.key); });
    personality.fields.emplace_back(entry.key, value);
  }
}

void readResends(Section& section, Personality& personality, Faults& faults) {
  personality.resendWithin = section.duration("resend_within", personality.resendWithin, faults);
  const auto resends = section.optional("resends", "", faults);
  if (resends.empty()) return;
  std::uint32_t count = 0;
  const auto* end = resends.data() + resends.size();
  const auto parsed = std::from_chars(resends.data(), end, count);
  if (resends == "unlimited") {
    personality.resends.reset();
  } else if (parsed.ec == std::errc() && parsed.ptr == end && count <= 100) {
    personality.resends = count;
  } else {
    faults.add(section.file, section.line, "resends must be a whole number up to 100, or unlimited");
  }
}

void readAcknowledges(Section& section, Personality& personality, Faults& faults) {
  personality.acknowledges = section.flag("acknowledges", personality.acknowledges, faults);
}

void readPace(Section& section, Personality& personality, Faults& faults) {
  personality.acknowledgeWithin = section.duration("acknowledge_within", personality.acknowledgeWithin, faults);
  personality.retryFirst = section.duration("retry_first", personality.retryFirst, faults);
  personality.retryLongest = section.duration("retry_longest", personality.retryLongest, faults);
}

void readHttp(Section& section, Personality& personality, Faults& faults) {
  readHeaders(section, personality, faults);
  for (const auto& name : section.all("needs_header")) personality.neededFields.push_back(name);
  personality.idempotent = section.flag("idempotent", personality.idempotent, faults);
  personality.echoesIds = section.flag("echoes_ids", personality.echoesIds, faults);
  readResends(section, personality, faults);
}

}  // namespace

Personalities readPersonalities(const std::string& folder, std::string& text, Faults& faults) {
  Personalities known = {{"fhir", {}}};
  std::vector<std::string> files;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(fs::path(folder) / "personalities", failed)) {
    if (entry.path().extension() == ".conf") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::string content;
    if (!readFile(file, content)) faults.add(file, 0, "cannot be read");
    text += content;
    for (auto& section : parseSections(file, content, faults)) {
      if (section.kind != "personality" || section.name != fs::path(file).stem().string()) {
        faults.add(file, section.line, "only [personality " + fs::path(file).stem().string() + "] may stand here");
        continue;
      }
      Personality personality;
      personality.name = section.name;
      readIncoming(section, personality, faults);
      readAnswers(section, personality, faults);
      readHttp(section, personality, faults);
      readAcknowledges(section, personality, faults);
      readPace(section, personality, faults);
      section.refuseUnread(faults);
      known[section.name] = std::move(personality);
    }
  }
  return known;
}

Personality personalityOf(Section& partner, Way way, const Personalities& known, Faults& faults) {
  std::vector<std::string_view> names;
  for (const auto& [name, each] : known) names.push_back(name);
  Personality personality = known.find(partner.choice("personality", "fhir", names, faults))->second;
  readIncoming(partner, personality, faults);
  readAnswers(partner, personality, faults);
  if (way != Way::Http) personality.acknowledges = false;
  readAcknowledges(partner, personality, faults);
  if (way == Way::Spool) {
    personality.echoesIds = false;
    personality.idempotent = true;  // the same file with the same bytes
  }
  if (way != Way::None) readPace(partner, personality, faults);
  if (way != Way::Http) return personality;
  readHttp(partner, personality, faults);
  for (const auto& name : personality.neededFields) {
    const bool there = std::any_of(personality.fields.begin(), personality.fields.end(),
                                   [&](const auto& field) { return equalsIgnoreCase(field.first, name); });
    if (!there) {
      faults.add(partner.file, partner.line,
                 "a partner of personality " + personality.name + " needs header " + name + " = …");
    }
  }
  return personality;
}

}  // namespace lotsen::app
