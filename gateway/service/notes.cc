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
       "correct it in the source system and send a new version, or correct the map and reprocess the record",
       store::name(kind), "ett underlag i ärendet gick inte att använda",
       "rätta i källsystemet och skicka en ny version, eller rätta mappningen och tolka om underlaget"});
}

void Notes::changedAfterSending() {
  add({reason::kChangedAfterSending, "a new version of the referral or BTF came after the message had left",
       "decide whether the receiver needs it: reprocess its delivery with --delivered (it becomes a new message), or "
       "settle the transfer",
       "", "en ny version av remiss eller BTF kom efter att meddelandet skickats",
       "avgör om mottagaren behöver den nya versionen: gör om leveransen, eller markera att inget nytt behövs"});
}

void Notes::noLocalSystem() {
  add({reason::kNoRoute, "no local system is configured for the destination of this message",
       "add the local partner, or ask the sender to correct the destination", "MessageHeader.destination",
       "inget lokalt system är konfigurerat för meddelandets mottagare",
       "lägg till mottagaren eller be avsändaren rätta adressen"});
}

void Notes::deliveryParked(store::Role role, std::string_view why) {
  const bool byPerson = why == reason::kParkedByPerson || why == reason::kParkedUnresolved;
  add({why.empty() ? reason::kDeliveryParked : why,
       byPerson ? "a person has stopped a leg" : "a leg is parked and waits for a person",
       byPerson ? "release the delivery when it may go on; who stopped it and why stands in the timeline"
                : "see docs/reasons.md; correct the cause, then resend the delivery, or cancel or confirm it",
       store::name(role),
       byPerson ? "en handläggare har stoppat ett ben" : "ett ben är parkerat och väntar på en handläggare",
       byPerson ? "släpp leveransen när den får gå vidare; vem och varför står i tidslinjen"
                : "se benet, åtgärda orsaken och skicka om leveransen, eller stryk eller bekräfta den"});
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

bool hasReason(std::string_view reasonsJson, std::string_view code) {
  return reasonsJson.find("{\"code\":\"" + std::string(code) + '"') != std::string_view::npos;
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

void Notes::remade(const std::string& actor, const std::string& why, const store::Id& old, const store::Id& made) {
  std::string detail;
  json::Writer(detail).startObject().member("why", why).member("by", made).endObject();
  audit_.push_back({now_, actor, "delivery-reprocessed", transfer_, old, std::move(detail)});
}

void Notes::judged(Judgement judgement, const store::Id& subject) {
  if (judgement.judged == Judged::Warned) audit("validation-warned", subject, judgement.kind, &judgement.found);
  judgements_.push_back(std::move(judgement));
}

}  // namespace lotsen::service
