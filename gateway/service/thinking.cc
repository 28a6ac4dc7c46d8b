#include "gateway/service/thinking.h"

#include <algorithm>
#include <map>

#include "gateway/fhir/outcome.h"
#include "gateway/json/writer.h"
#include "gateway/service/reasons.h"
#include "gateway/service/understanding.h"

namespace lotsen::service {

namespace {

using store::DeliveryState;
using store::RecordKind;
using store::RecordState;
using store::Role;

constexpr auto kDeadline = std::chrono::hours(72);
constexpr auto kLookAgain = std::chrono::seconds(2);  // while a leg is in flight that we must stop or follow

Role roleOf(transfer::Role role) {
  switch (role) {
    case transfer::Role::Provider: return Role::Provider;
    case transfer::Role::Mediator: return Role::Mediator;
    case transfer::Role::Pas: return Role::Pas;
    case transfer::Role::Receipt: return Role::Receipt;
    case transfer::Role::PatientLetter: return Role::PatientLetter;
    case transfer::Role::ClinicianLetter: return Role::ClinicianLetter;
    case transfer::Role::Recall: return Role::Recall;
  }
  return Role::Provider;
}

bool discloses(Role role) { return role == Role::Provider || role == Role::Mediator; }

bool isUnsent(const store::Delivery& delivery) {
  return delivery.state == DeliveryState::Held || delivery.state == DeliveryState::Queued || delivery.state == DeliveryState::Ready;
}

// True if the receiver has it, or may have it.
bool mayHaveLeft(const store::Delivery& delivery) {
  switch (delivery.state) {
    case DeliveryState::Done:
    case DeliveryState::Awaiting:
    case DeliveryState::Resolving: return true;
    case DeliveryState::Leased: return delivery.sending;
    default: return false;
  }
}

// The newest record of a kind, and what we made of it.
struct Current {
  const store::Record* record = nullptr;
  const fhir::Document* canonical = nullptr;
  bool isNew = false;     // understood in this pass
  bool held = false;      // a newer version is parked: nothing may build on this one
};

struct Reason {
  std::string_view code, text, remedy, path, textSwedish, remedySwedish;
};

// One pass over one transfer; lives on the stack of think().
class Pass {
 public:
  Pass(const Configuration& configuration, const store::TransferWork& work, Clock& clock, Random& random, letter::Fonts& fonts)
      : configuration_(configuration), work_(work), random_(random), fonts_(fonts), now_(clock.now()), today_(sweden::civilDate(now_)) {
    change_.id = work.transfer.id;
    change_.token = work.token;
    change_.agreement = work.transfer.agreement;
    change_.state = work.transfer.state;
  }

  store::TransferChange run() {
    understandAll();
    if (isMessageCase()) {
      handOn();
    } else {
      readFacts();
      if (transfer::isRefused(case_)) {
        stop();
      } else if (anyHeld()) {
        change_.state = store::TransferState::Parked;
      } else if (nothingLeftToGate()) {
        afterwards();
      } else if (!gatesOpen()) {
        change_.state = store::TransferState::Waiting;
      } else {
        legalBasis_ = transfer::legalBasis(case_, *agreement_);
        release();
      }
      follow();
    }
    conclude();
    return std::move(change_);
  }

 private:
  // --- 1, 2: understand and choose

  void understandAll() {
    for (const auto& record : work_.records) {
      if (record.kind == RecordKind::Acknowledgement) continue;
      Current& current = current_[record.kind];
      const bool newer = current.record == nullptr || record.version >= current.record->version;
      if (record.state == RecordState::Parked) {
        if (newer) {
          current.held = true;
          addReason({reason::kRecordParked, "a record of this case could not be used", "correct it in the source system and send a new version",
                     store::name(record.kind), "ett underlag i ärendet gick inte att använda", "rätta i källsystemet och skicka en ny version"});
        }
        continue;
      }
      if (record.state == RecordState::Processed && !newer) continue;
      auto understood = understand(configuration_, record, now_);
      if (record.state == RecordState::Accepted) {
        audit(understood.change.state == RecordState::Processed ? "record-understood" : "record-parked", record.id, understood.change.reason);
        change_.records.push_back(understood.change);
      }
      if (!newer) continue;
      if (!understood.canonical) {
        current.held = true;
        addReason({reason::kRecordParked, "a record of this case could not be used", "correct it in the source system and send a new version",
                   store::name(record.kind), "ett underlag i ärendet gick inte att använda", "rätta i källsystemet och skicka en ny version"});
        continue;
      }
      documents_.push_back(std::make_unique<fhir::Document>(std::move(*understood.canonical)));
      current = {&record, documents_.back().get(), record.state == RecordState::Accepted, false};
    }
  }

  bool isMessageCase() const { return current_.count(RecordKind::Message) != 0; }

  bool anyHeld() const {
    return std::any_of(current_.begin(), current_.end(), [](const auto& entry) { return entry.second.held; });
  }

  const Current& current(RecordKind kind) const {
    static const Current kNothing;
    const auto found = current_.find(kind);
    return found == current_.end() ? kNothing : found->second;
  }

  // A canonical form that the gates cannot read is as good as a parked record: the case waits for a new version.
  void readFacts() {
    case_.source = work_.transfer.partner;
    fhir::Issues issues;
    if (const auto* referral = current(RecordKind::Referral).canonical) take(case_.referral, transfer::referralFacts(*referral, issues), RecordKind::Referral, issues);
    if (const auto* consent = current(RecordKind::Consent).canonical) take(case_.consent, transfer::consentFacts(*consent, issues), RecordKind::Consent, issues);
    if (const auto* btf = current(RecordKind::Btf).canonical) take(case_.btf, transfer::btfFacts(*btf, issues), RecordKind::Btf, issues);
    if (case_.referral) change_.agreement = case_.referral->agreement;
    const auto found = configuration_.agreements.find(change_.agreement);
    agreement_ = found == configuration_.agreements.end() ? nullptr : &found->second;
  }

  template <typename Facts>
  void take(std::optional<Facts>& facts, Result<Facts> result, RecordKind kind, fhir::Issues& issues) {
    if (result.ok()) {
      facts = std::move(*result);
    } else {
      Current& faulty = current_[kind];
      faulty.held = true;
      for (auto& record : change_.records) {
        if (record.id != faulty.record->id) continue;
        record.state = RecordState::Parked;
        record.reason = reason::kCanonicalInvalid;
        record.issues = fhir::operationOutcome(issues);
      }
      addReason({reason::kRecordParked, "a record of this case could not be used", "correct it in the source system and send a new version",
                 store::name(kind), "ett underlag i ärendet gick inte att använda", "rätta i källsystemet och skicka en ny version"});
    }
    issues = {};
  }

  // --- 3: stop

  void stop() {
    gatesOpen();  // for the reasons
    change_.state = store::TransferState::Withdrawn;
    if (work_.transfer.state != store::TransferState::Withdrawn) audit("consent-refused", current(RecordKind::Consent).record->id, firstReason());
    std::vector<transfer::SentLeg> sent;
    for (const auto& delivery : work_.deliveries) {
      const bool receiptStays = delivery.role == Role::Receipt && anyDisclosed();
      if ((isUnsent(delivery) || (delivery.state == DeliveryState::Leased && !delivery.sending)) && delivery.role != Role::Recall && !receiptStays) {
        cancel(delivery, reason::kConsentWithdrawn);
      }
      if (delivery.state == DeliveryState::Leased || delivery.state == DeliveryState::Resolving) lookAgain();
      if (!discloses(delivery.role) || !mayHaveLeft(delivery)) continue;
      if (!recalled(delivery)) {
        sent.push_back({delivery.role == Role::Provider ? transfer::Role::Provider : transfer::Role::Mediator, delivery.partner});
      }
    }
    for (const auto& plan : transfer::recalls(sent)) create(plan, {});
  }

  bool recalled(const store::Delivery& sent) const {
    return std::any_of(work_.deliveries.begin(), work_.deliveries.end(),
                       [&](const auto& other) { return other.role == Role::Recall && other.partner == sent.partner && other.createdAt >= sent.createdAt; });
  }

  bool anyDisclosed() const {
    return std::any_of(work_.deliveries.begin(), work_.deliveries.end(),
                       [](const auto& delivery) { return discloses(delivery.role) && mayHaveLeft(delivery); });
  }

  // --- 4: hold

  // Gates judge what is to leave. When all that goes to other care givers has left, what follows (letters, deregistration, receipt)
  // is owed whatever the date is.
  bool nothingLeftToGate() const {
    if (current(RecordKind::Referral).isNew || current(RecordKind::Btf).isNew) return false;
    bool any = false;
    for (const auto& delivery : work_.deliveries) {
      if (!discloses(delivery.role) || delivery.state == DeliveryState::Cancelled) continue;
      any = true;
      if (!mayHaveLeft(delivery) && delivery.state != DeliveryState::Parked) return false;
    }
    return any;
  }

  // A consent that turns out never to have been given, when the data has left: a person must decide, and nothing more goes out.
  void afterwards() {
    change_.state = store::TransferState::Released;
    if (!case_.consent || case_.consent->status != transfer::ConsentStatus::EnteredInError) return;
    const auto* gate = transfer::findGate("consent-entered-in-error");
    addReason({gate->code, gate->text, gate->remedy, gate->path, gate->textSwedish, gate->remedySwedish});
    change_.state = store::TransferState::Parked;
  }

  bool gatesOpen() {
    const auto shut = transfer::shutGates(case_, agreement_, configuration_.policy, today_);
    for (const auto& gate : shut) {
      addReason({gate.code, gate.text, gate.remedy, gate.path, gate.textSwedish, gate.remedySwedish});
      if (gate.code == "btf-not-yet-valid" && case_.btf && case_.btf->from) change_.dueAt = sweden::startOfDay(*case_.btf->from);
    }
    return shut.empty();
  }

  // --- 5: release

  void release() {
    change_.state = store::TransferState::Released;
    const auto plans = transfer::route(case_, *agreement_, configuration_.policy);
    if (!sendable(plans)) return;
    const bool contentChanged = current(RecordKind::Referral).isNew || current(RecordKind::Btf).isNew;
    std::vector<const store::Delivery*> live;
    bool left = false;
    for (const auto& delivery : work_.deliveries) {
      if (delivery.role == Role::Recall || delivery.state == DeliveryState::Cancelled) continue;
      live.push_back(&delivery);
      left = left || (discloses(delivery.role) && (mayHaveLeft(delivery) || delivery.state == DeliveryState::Leased));
    }
    if (!live.empty() && contentChanged && left) {
      change_.state = store::TransferState::Parked;
      addReason({reason::kChangedAfterSending, "a new version of the referral or BTF came after the message had left",
                 "decide whether the receiver needs it: resend by reprocess, or tell the receiver", "", "en ny version av remiss eller BTF kom efter att meddelandet skickats",
                 "avgör om mottagaren behöver den nya versionen"});
      return;
    }
    if (!live.empty() && !contentChanged) {
      for (const auto* delivery : live) {
        if (delivery->needsRelease && (isUnsent(*delivery) || delivery->state == DeliveryState::Leased)) permit(delivery->id);
      }
      return;
    }
    for (const auto* delivery : live) {
      if (isUnsent(*delivery)) cancel(*delivery, reason::kSuperseded);
    }
    audit("transfer-released", {}, agreement_->id);
    std::map<Role, store::Id> created;
    for (const auto& plan : plans) {
      std::vector<store::Id> after;
      for (const auto role : plan.after) {
        const auto found = created.find(roleOf(role));
        if (found != created.end()) after.push_back(found->second);
      }
      created[roleOf(plan.role)] = create(plan, std::move(after));
    }
  }

  bool sendable(const std::vector<transfer::LegPlan>& plans) {
    for (const auto& plan : plans) {
      const Partner* partner = configuration_.partner(plan.partner);
      if (partner != nullptr && !partner->endpoint.empty()) continue;
      change_.state = store::TransferState::Parked;
      addReason({reason::kNoRoute, "a receiver of this transfer has no endpoint in the configuration", "add the partner and its endpoint, then reload", transfer::name(plan.role),
                 "en mottagare saknar adress i konfigurationen", "lägg till parten och dess adress"});
      return false;
    }
    return true;
  }

  void permit(const store::Id& delivery) {
    const auto period = transfer::validity(case_, *agreement_);
    store::Release release;
    release.delivery = delivery;
    if (current(RecordKind::Consent).record != nullptr) release.consentRecord = current(RecordKind::Consent).record->id;
    if (current(RecordKind::Btf).record != nullptr && agreement_->kind != transfer::AgreementKind::Internal) release.btfRecord = current(RecordKind::Btf).record->id;
    release.validFrom = sweden::startOfDay(period.from);
    release.validUntil = sweden::startOfDay(sweden::addDays(period.until, 1));
    release.basis = legalBasis_;
    change_.releases.push_back(std::move(release));
  }

  store::Id create(const transfer::LegPlan& plan, std::vector<store::Id> after) {
    store::Delivery delivery;
    delivery.id = newId();
    delivery.transfer = work_.transfer.id;
    delivery.role = roleOf(plan.role);
    delivery.partner = plan.partner;
    const Partner* partner = configuration_.partner(plan.partner);
    if (partner != nullptr) delivery.endpoint = partner->endpoint;
    delivery.messageId = newId();
    delivery.bundleId = newId();
    delivery.after = std::move(after);
    delivery.needsRelease = discloses(delivery.role);
    delivery.createdAt = now_;
    delivery.dueAt = now_;
    delivery.deadlineAt = now_ + kDeadline;
    const bool waits = !delivery.after.empty();
    const store::Id id = delivery.id;
    audit("leg-created", id, store::name(delivery.role));
    if (delivery.needsRelease) permit(id);
    if (!waits) {
      auto change = prepareLeg(delivery, plan);
      if (change.to == DeliveryState::Ready) {
        delivery.state = DeliveryState::Ready;
        delivery.mediaType = std::move(change.mediaType);
        delivery.body = std::move(change.body);
        delivery.mapHash = std::move(change.mapHash);
      } else {
        change_.changed.push_back(std::move(change));
      }
    }
    change_.created.push_back(std::move(delivery));
    return id;
  }

  // --- 6: follow

  void follow() {
    if (!case_.referral) return;
    for (const auto& delivery : work_.deliveries) {
      if (delivery.state != DeliveryState::Held || isChanged(delivery.id) || !predecessorsDone(delivery)) continue;
      transfer::LegPlan plan;
      for (const auto role : {transfer::Role::Pas, transfer::Role::Receipt, transfer::Role::PatientLetter, transfer::Role::ClinicianLetter}) {
        if (roleOf(role) == delivery.role) plan.role = role;
      }
      plan.partner = delivery.partner;
      change_.changed.push_back(prepareLeg(delivery, plan));
    }
  }

  bool isChanged(const store::Id& delivery) const {
    return std::any_of(change_.changed.begin(), change_.changed.end(), [&](const auto& change) { return change.id == delivery; });
  }

  bool predecessorsDone(const store::Delivery& delivery) const {
    return std::all_of(delivery.after.begin(), delivery.after.end(), [&](const store::Id& id) {
      const auto* before = find(id);
      return before != nullptr && (before->state == DeliveryState::Done || (delivery.role == Role::Receipt && before->state == DeliveryState::Cancelled));
    });
  }

  const store::Delivery* find(const store::Id& id) const {
    for (const auto& delivery : work_.deliveries) {
      if (delivery.id == id) return &delivery;
    }
    return nullptr;
  }

  const store::Delivery* done(Role role) const {
    for (const auto& delivery : work_.deliveries) {
      if (delivery.role == role && delivery.state == DeliveryState::Done) return &delivery;
    }
    return nullptr;
  }

  store::DeliveryChange prepareLeg(const store::Delivery& delivery, const transfer::LegPlan& plan) {
    Leg leg;
    leg.plan = plan;
    leg.transfer = work_.transfer.id;
    leg.caseNumber = work_.transfer.caseKey;
    leg.messageId = delivery.messageId;
    leg.bundleId = delivery.bundleId;
    leg.createdAt = now_;
    leg.receiver = configuration_.partner(delivery.partner);
    leg.agreement = agreement_;
    leg.legalBasis = legalBasis_;
    if (agreement_ != nullptr) {
      leg.provider = configuration_.partner(agreement_->provider);
      leg.mediator = configuration_.partner(agreement_->mediator);
    }
    leg.referral = current(RecordKind::Referral).canonical;
    leg.consent = current(RecordKind::Consent).canonical;
    leg.btf = current(RecordKind::Btf).canonical;
    if (const auto* provider = done(Role::Provider)) {
      leg.acknowledged = {configuration_.partner(provider->partner), provider->messageId, provider->finishedAt};
    }
    for (const auto& other : work_.deliveries) {
      if (discloses(other.role) && mayHaveLeft(other)) leg.disclosed.push_back({other.role, configuration_.partner(other.partner), other.messageId, other.finishedAt});
      if (delivery.role == Role::Recall && other.partner == delivery.partner && mayHaveLeft(other)) leg.recallOf = other.messageId;
    }

    store::DeliveryChange change;
    change.id = delivery.id;
    if (leg.receiver == nullptr || leg.receiver->endpoint.empty()) {
      change.to = DeliveryState::Parked;
      change.reason = reason::kNoRoute;
      audit("leg-parked", delivery.id, change.reason);
      return change;
    }
    fhir::Issues issues;
    auto prepared = prepare(configuration_, delivery.role, leg, fonts_, issues);
    if (!prepared.ok()) {
      const bool letter = delivery.role == Role::PatientLetter || delivery.role == Role::ClinicianLetter;
      change.to = DeliveryState::Parked;
      change.reason = letter ? reason::kLetterIncomplete : reason::kMessageFailed;
      audit("leg-parked", delivery.id, change.reason, &issues);
      return change;
    }
    change.to = DeliveryState::Ready;
    change.mediaType = std::move(prepared->mediaType);
    change.body = std::move(prepared->body);
    change.mapHash = std::move(prepared->mapHash);
    return change;
  }

  // --- messages for local systems

  void handOn() {
    const Current& message = current(RecordKind::Message);
    change_.state = store::TransferState::Released;
    if (!work_.deliveries.empty() || message.canonical == nullptr) return;
    const fhir::Document& bundle = *message.canonical;
    const fhir::Element* header = fhir::firstResource(bundle, bundle.root(), "MessageHeader");
    const auto endpoint = fhir::valueAt(bundle, header, "destination.endpoint");
    const auto receiver = fhir::valueAt(bundle, header, "destination.receiver.identifier.value");
    for (const auto& [id, partner] : configuration_.partners) {
      if (!partner.local || partner.endpoint.empty()) continue;
      if (partner.contact.endpoint != endpoint && (receiver.empty() || partner.contact.hsaId != receiver)) continue;
      store::Delivery delivery;
      delivery.id = newId();
      delivery.transfer = work_.transfer.id;
      delivery.role = Role::Local;
      delivery.partner = id;
      delivery.endpoint = partner.endpoint;
      delivery.state = DeliveryState::Ready;
      delivery.messageId = message.record->businessId;
      delivery.bundleId = newId();
      delivery.mediaType = message.record->mediaType;
      delivery.body = message.record->body;  // handed on as it came
      delivery.createdAt = delivery.dueAt = now_;
      delivery.deadlineAt = now_ + kDeadline;
      audit("leg-created", delivery.id, store::name(Role::Local));
      change_.created.push_back(std::move(delivery));
      return;
    }
    change_.state = store::TransferState::Parked;
    addReason({reason::kNoRoute, "no local system is configured for the destination of this message", "add the local partner, or ask the sender to correct the destination",
               "MessageHeader.destination", "inget lokalt system är konfigurerat för meddelandets mottagare", "lägg till mottagaren eller be avsändaren rätta adressen"});
  }

  // --- the end

  void conclude() {
    bool allDone = !work_.deliveries.empty() && change_.created.empty() && change_.changed.empty();
    for (const auto& delivery : work_.deliveries) {
      allDone = allDone && (delivery.state == DeliveryState::Done || delivery.state == DeliveryState::Cancelled);
      if (delivery.state != DeliveryState::Parked || isChanged(delivery.id)) continue;
      parkedDelivery(delivery.role, delivery.reason);
    }
    for (const auto& change : change_.changed) {
      if (change.to == DeliveryState::Parked) parkedDelivery(roleOfDelivery(change.id), change.reason);
    }
    if (allDone && change_.state == store::TransferState::Released) {
      change_.state = store::TransferState::Completed;
      if (work_.transfer.state != store::TransferState::Completed) audit("transfer-completed", {}, {});
    }
    change_.reasons = reasonsJson();
    if (change_.state != work_.transfer.state && change_.state == store::TransferState::Waiting) audit("transfer-waiting", {}, firstReason());
    if (change_.state != work_.transfer.state && change_.state == store::TransferState::Parked) audit("transfer-parked", {}, firstReason());
  }

  Role roleOfDelivery(const store::Id& id) const {
    for (const auto& delivery : change_.created) {
      if (delivery.id == id) return delivery.role;
    }
    const auto* known = find(id);
    return known == nullptr ? Role::Provider : known->role;
  }

  void parkedDelivery(Role role, std::string_view why) {
    if (change_.state != store::TransferState::Withdrawn) change_.state = store::TransferState::Parked;
    addReason({why.empty() ? reason::kDeliveryParked : why, "a leg is parked and waits for a person", "see the leg; correct the cause, then resend", store::name(role),
               "ett ben är parkerat och väntar på en handläggare", "se benet, åtgärda orsaken och skicka om"});
  }

  // --- small things

  store::Id newId() { return uuidV7(now_, random_); }

  void cancel(const store::Delivery& delivery, std::string_view why) {
    store::DeliveryChange change;
    change.id = delivery.id;
    change.to = DeliveryState::Cancelled;
    change.reason = why;
    change_.changed.push_back(std::move(change));
    audit("leg-cancelled", delivery.id, why);
  }

  void lookAgain() { change_.dueAt = now_ + kLookAgain; }

  void addReason(const Reason& reason) {
    const auto same = [&](const Reason& other) { return other.code == reason.code && other.path == reason.path; };
    if (std::none_of(reasons_.begin(), reasons_.end(), same)) reasons_.push_back(reason);
  }

  std::string firstReason() const { return reasons_.empty() ? std::string() : std::string(reasons_.front().code); }

  std::string reasonsJson() const {
    std::string text;
    json::Writer writer(text);
    writer.startArray();
    for (const auto& reason : reasons_) {
      writer.startObject().member("code", reason.code).member("text", reason.text).member("path", reason.path).member("remedy", reason.remedy);
      writer.member("textSv", reason.textSwedish).member("remedySv", reason.remedySwedish).endObject();
    }
    writer.endArray();
    return text;
  }

  void audit(std::string_view action, const store::Id& subject, std::string_view what, const fhir::Issues* issues = nullptr) {
    std::string detail;
    json::Writer writer(detail);
    writer.startObject();
    if (!what.empty()) writer.member("what", what);
    if (issues != nullptr) {
      writer.key("issues").startArray();
      for (const auto& issue : issues->list()) writer.startObject().member("rule", issue.rule).member("text", issue.text).member("path", issue.expression).endObject();
      writer.endArray();
    }
    writer.endObject();
    change_.audit.push_back({now_, "gateway", std::string(action), work_.transfer.id, subject, std::move(detail)});
  }

  const Configuration& configuration_;
  const store::TransferWork& work_;
  Random& random_;
  letter::Fonts& fonts_;
  const Instant now_;
  const sweden::CivilDate today_;
  store::TransferChange change_;
  std::map<RecordKind, Current> current_;
  std::vector<std::unique_ptr<fhir::Document>> documents_;
  transfer::Case case_;
  const transfer::Agreement* agreement_ = nullptr;
  std::string_view legalBasis_;  // once the gates are open
  std::vector<Reason> reasons_;
};

}  // namespace

Result<store::TransferChange> Thinker::think(const Configuration& configuration, const store::TransferWork& work) {
  return Pass(configuration, work, clock_, random_, *fonts_).run();
}

}  // namespace lotsen::service
