#include "gateway/service/notes.h"

#include "gateway/json/writer.h"
#include "gateway/service/reasons.h"

#include <algorithm>

namespace lotsen::service {

void Notes::add(const Reason& reason) {
  const auto same = [&](const Reason& other) { return other.code == reason.code && other.path == reason.path; };
  if (std::none_of(reasons_.begin(), reasons_.end(), same)) reasons_.push_back(reason);
}

void Notes::recordParked(store::RecordKind kind) {
  add({reason::kRecordParked, "a record of this case could not be used",
       "correct it in the source system and send a new version", store::name(kind),
       "ett underlag i ärendet gick inte att använda", "rätta i källsystemet och skicka en ny version"});
}

std::string Notes::reasonsJson() const {
  std::string text;
  json::Writer writer(text);
  writer.startArray();
  for (const auto& reason : reasons_) {
    writer.startObject().member("code", reason.code).member("text", reason.text).member("path", reason.path);
    writer.member("remedy", reason.remedy)
        .member("textSv", reason.textSwedish)
        .member("remedySv", reason.remedySwedish)
        .endObject();
  }
  writer.endArray();
  return text;
}

std::string auditDetail(std::string_view what, const fhir::Issues* issues) {
  std::string detail;
  json::Writer writer(detail);
  writer.startObject();
  if (!what.empty()) writer.member("what", what);
  if (issues != nullptr) {
    writer.key("issues").startArray();
    for (const auto& issue : issues->list()) {
      writer.startObject()
          .member("rule", issue.rule)
          .member("text", issue.text)
          .member("path", issue.expression)
          .endObject();
    }
    writer.endArray();
  }
  writer.endObject();
  return detail;
}

void Notes::audit(std::string_view action, const store::Id& subject, std::string_view what,
                  const fhir::Issues* issues) {
  audit_.push_back({now_, "gateway", std::string(action), transfer_, subject, auditDetail(what, issues)});
}

void Notes::judged(Judgement judgement, const store::Id& subject) {
  if (judgement.judged == Judged::Warned) audit("validation-warned", subject, judgement.kind, &judgement.found);
  judgements_.push_back(std::move(judgement));
}

}  // namespace lotsen::service
