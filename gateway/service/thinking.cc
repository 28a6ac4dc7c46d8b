#include "gateway/service/thinking.h"

#include "gateway/fhir/outcome.h"
#include "gateway/service/arrival.h"
#include "gateway/service/leg_facts.h"
#include "gateway/service/reasons.h"
#include "gateway/service/understanding.h"

#include <algorithm>
#include <map>

namespace lotsen::service {

namespace {

using store::DeliveryState;
using store::RecordKind;
using store::Role;

constexpr auto kDeadline = std::chrono::hours(72);
constexpr RecordKind kContent[] = {RecordKind::Referral, RecordKind::Btf};  // what legs are made of
constexpr auto kLookAgain = std::chrono::seconds(2);  // while a leg is in flight that we must stop or follow

// One pass over one transfer; lives on the stack of think().
class Pass {
 public:
  Pass(const Configuration& configuration, const store::TransferWork& work, Clock& clock, Random& random,
       letter::Fonts& fonts, Remake* remake)
      : configuration_(configuration),
        work_(work),
        random_(random),
        fonts_(fonts),
        remake_(remake),
        now_(clock.now()),
        today_(sweden::civilDate(now_)),
        notes_(work.transfer.id, now_),
        file_(configuration, work, notes_) {
    change_.id = work.transfer.id;
    change_.token = work.token;
    change_.agreement = file_.facts().referral ? file_.facts().referral->agreement : work.transfer.agreement;
    change_.records = file_.takeChanges();
    change_.state = work.transfer.state;
  }

  const std::vector<Judgement>& judgements() const { return notes_.judgements(); }

  store::TransferChange run() {
    if (file_.isMessage()) {
      handOn();
    } else {
      decide();
      follow();
    }
    conclude();
    change_.audit = notes_.takeAudit();
    return std::move(change_);
  }

 private:
  void decide() {
    if (transfer::isRefused(file_.facts())) return stop();
    weighChange();
    if (file_.anyHeld()) {
      change_.state = store::TransferState::Parked;
    } else if (!remakes() && nothingLeftToGate()) {
      afterwards();
    } else if (!gatesOpen()) {
      change_.state = store::TransferState::Waiting;
    } else {
      legalBasis_ = transfer::legalBasis(file_.facts(), *file_.agreement());
      release();
    }
    if (remakes()) outdated_ = changed_ && anyOutdated();
    if (!outdated_) return;
    notes_.changedAfterSending();
    if (change_.state == store::TransferState::Released) change_.state = store::TransferState::Parked;
  }

  // --- a new version of what legs are made of

  /// What has not left is made anew, whatever the gates say today: it may not go as it is. What has left is a person's
  /// decision, and asked for in each pass until it is taken: by making the leg anew, or by settling the change.
  void weighChange() {
    const bool told = remake_ == nullptr || !remake_->settles;
    changed_ =
        (told && hasReason(work_.transfer.reasons, reason::kChangedAfterSending)) || (!remakes() && contentIsNew());
    if (!changed_ || remakes()) return;
    for (const auto& delivery : work_.deliveries) {
      if (!isLive(delivery) || !hasLeft(delivery)) continue;
      outdated_ = true;
      if (delivery.state == DeliveryState::Leased) lookAgain();  // if nothing of it leaves after all, it is made anew
    }
    if (outdated_) return;
    for (const auto& delivery : work_.deliveries) {
      const bool open = isUnsent(delivery) || delivery.state == DeliveryState::Parked;
      if (open && delivery.role != Role::Recall && !isOwed(delivery)) cancel(delivery, reason::kSuperseded);
    }
  }

  bool contentIsNew() const {
    return std::any_of(std::begin(kContent), std::end(kContent),
                       [&](RecordKind kind) { return file_.current(kind).isNew; });
  }

  /// Something that has left was made before the change, and no other leg to that receiver was made since.
  bool anyOutdated() const {
    return std::any_of(work_.deliveries.begin(), work_.deliveries.end(), [&](const auto& old) {
      if (!isLive(old) || !hasLeft(old) || (remake_ != nullptr && remake_->made.count(old.id) != 0)) return false;
      return std::none_of(work_.deliveries.begin(), work_.deliveries.end(), [&](const auto& other) {
        return other.role == old.role && other.partner == old.partner && other.createdAt > old.createdAt &&
               other.state != DeliveryState::Cancelled;
      });
    });
  }

  /// A leg to another care giver that stands: neither cancelled nor called back.
  bool isLive(const store::Delivery& delivery) const {
    return discloses(delivery.role) && delivery.state != DeliveryState::Cancelled &&
           !isRecalled(work_.deliveries, delivery);
  }

  /// The receipt of what has been handed out, whatever becomes of all else (patientdatalagen 3:11).
  bool isOwed(const store::Delivery& delivery) const {
    return delivery.role == Role::Receipt && anyDisclosed(work_.deliveries);
  }

  bool remakes() const { return remake_ != nullptr && !remake_->deliveries.empty(); }

  // --- 3: stop

  void stop() {
    gatesOpen();  // for the reasons
    change_.state = store::TransferState::Withdrawn;
    if (work_.transfer.state != store::TransferState::Withdrawn)
      notes_.audit("consent-refused", file_.current(RecordKind::Consent).record->id, notes_.firstCode());
    std::vector<transfer::SentLeg> sent;
    for (const auto& delivery : work_.deliveries) {
      if (delivery.role == Role::Recall || delivery.state == DeliveryState::Cancelled) continue;
      if (delivery.state == DeliveryState::Leased) {  // how its attempt ends decides
        lookAgain();
        continue;
      }
      if (delivery.state != DeliveryState::Done && !isOwed(delivery)) cancel(delivery, reason::kConsentWithdrawn);
      if (discloses(delivery.role) && mayHaveArrived(delivery) && !isRecalled(work_.deliveries, delivery)) {
        sent.push_back(
            {delivery.role == Role::Provider ? transfer::Role::Provider : transfer::Role::Mediator, delivery.partner});
      }
    }
    for (const auto& plan : transfer::recalls(sent)) create(plan, {});
  }

  // --- 4: hold

  // Gates judge what is to leave. When all that has left, what follows (letters, receipt …) is owed whatever the date
  // is.
  bool nothingLeftToGate() const {
    if (contentIsNew()) return false;
    bool any = false;
    for (const auto& delivery : work_.deliveries) {
      if (!isLive(delivery)) continue;
      any = true;
      if (!mayHaveArrived(delivery) && delivery.state != DeliveryState::Parked) return false;
    }
    return any;
  }

  // A consent that turns out never to have been given, when the data has left: a person must decide; nothing goes out.
  void afterwards() {
    change_.state = store::TransferState::Released;
    if (!file_.facts().consent || file_.facts().consent->status != transfer::ConsentStatus::EnteredInError) return;
    const auto* gate = transfer::findGate("consent-entered-in-error");
    notes_.add(reasonOf(*gate));
    change_.state = store::TransferState::Parked;
  }

  bool gatesOpen() {
    const auto shut = transfer::shutGates(file_.facts(), file_.agreement(), configuration_.policy, today_);
    for (const auto& gate : shut) {
      notes_.add(reasonOf(gate));
      if (gate.code == "btf-not-yet-valid" && file_.facts().btf && file_.facts().btf->from)
        change_.dueAt = sweden::startOfDay(*file_.facts().btf->from);
    }
    return shut.empty();
  }

  // --- 5: release

  void release() {
    change_.state = store::TransferState::Released;
    plans_ = transfer::route(file_.facts(), *file_.agreement(), configuration_.policy);
    if (!sendable(plans_)) return;
    if (remakes()) return remake();
    if (outdated_) return;
    const bool any = std::any_of(work_.deliveries.begin(), work_.deliveries.end(),
                                 [&](const auto& each) { return isLive(each) && !isChanged(each.id); });
    if (any || staysEnded()) {
      for (const auto& delivery : work_.deliveries) {
        const bool goes = isUnsent(delivery) || delivery.state == DeliveryState::Leased;
        if (delivery.needsRelease && goes && !isChanged(delivery.id)) permit(delivery.id);
      }
      return;
    }
    notes_.audit("transfer-released", {}, file_.agreement()->id);
    std::map<Role, store::Id> created;
    for (const auto& plan : plans_) {
      std::vector<store::Id> after;
      for (const auto role : plan.after) {
        const auto found = created.find(roleOf(role));
        if (found != created.end()) after.push_back(found->second);
      }
      created[roleOf(plan.role)] = create(plan, std::move(after));
    }
  }

  /// What a person has ended stays so until there is something new to send.
  bool staysEnded() const {
    bool ended = false, withdrawn = false;
    for (const auto& delivery : work_.deliveries) {
      ended = ended || (endedByPerson(delivery) && !contentIsNew() && !isNewSince(delivery.finishedAt));
      withdrawn = withdrawn || delivery.reason == reason::kConsentWithdrawn;
    }
    return ended && !withdrawn;
  }

  bool isNewSince(Instant moment) const {
    return std::any_of(std::begin(kContent), std::end(kContent), [&](RecordKind kind) {
      const auto* record = file_.current(kind).record;
      return record != nullptr && record->receivedAt > moment;
    });
  }

  /// What was asked for, and what waits for it: its dependency is another delivery then.
  void remake() {
    for (const auto& old : work_.deliveries) {
      const bool asked = remake_->deliveries.count(old.id) != 0;
      const bool waits = old.state == DeliveryState::Held &&
                         std::any_of(old.after.begin(), old.after.end(),
                                     [&](const store::Id& id) { return remake_->made.count(id) != 0; });
      const bool gone = old.state == DeliveryState::Cancelled || old.state == DeliveryState::Leased;
      if ((!asked && !waits) || gone || (mayHaveArrived(old) && !remake_->delivered)) continue;
      const auto plan = planOf(old);
      if (!plan) continue;
      std::vector<store::Id> after = old.after;
      for (auto& id : after) {
        if (const auto made = remake_->made.find(id); made != remake_->made.end()) id = made->second;
      }
      if (old.state != DeliveryState::Done && old.state != DeliveryState::Awaiting) cancel(old, reason::kReprocessed);
      const auto made = create(*plan, std::move(after), old.sequence > 0 ? old.messageId : std::string());
      remake_->made[old.id] = made;
      if (asked) notes_.remade(remake_->actor, remake_->why, old.id, made);
    }
  }

  bool sendable(const std::vector<transfer::LegPlan>& plans) {
    for (const auto& plan : plans) {
      const Partner* partner = configuration_.partner(plan.partner);
      if (partner != nullptr && !partner->endpoint.empty()) continue;
      change_.state = store::TransferState::Parked;
      notes_.add({reason::kNoRoute, "a receiver of this transfer has no endpoint in the configuration",
                  "add the partner and its endpoint, then reload", transfer::name(plan.role),
                  "en mottagare saknar adress i konfigurationen", "lägg till parten och dess adress"});
      return false;
    }
    return true;
  }

  void permit(const store::Id& delivery) {
    const auto period = transfer::validity(file_.facts(), *file_.agreement());
    store::Release release;
    release.delivery = delivery;
    if (file_.current(RecordKind::Consent).record != nullptr)
      release.consentRecord = file_.current(RecordKind::Consent).record->id;
    if (file_.current(RecordKind::Btf).record != nullptr &&
        file_.agreement()->kind != transfer::AgreementKind::Internal)
      release.btfRecord = file_.current(RecordKind::Btf).record->id;
    release.validFrom = sweden::startOfDay(period.from);
    release.validUntil = sweden::startOfDay(sweden::addDays(period.until, 1));
    release.basis = legalBasis_;
    change_.releases.push_back(std::move(release));
  }

  /// `replaces`: the message that this leg's takes the place of.
  store::Id create(const transfer::LegPlan& plan, std::vector<store::Id> after, std::string replaces = {}) {
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
    delivery.createdAt = madeAt(delivery.partner);
    delivery.dueAt = now_;
    delivery.deadlineAt = now_ + kDeadline;
    const bool waits = std::any_of(delivery.after.begin(), delivery.after.end(), [&](const store::Id& id) {
      const auto* before = find(id);
      return before == nullptr || before->state != DeliveryState::Done;
    });
    store::Id id = delivery.id;
    notes_.audit("leg-created", id, store::name(delivery.role));
    if (delivery.needsRelease) permit(id);
    if (!waits) {
      auto change = prepareLeg(delivery, plan, std::move(replaces));
      delivery.state = change.to;
      delivery.reason = std::move(change.reason);
      delivery.mediaType = std::move(change.mediaType);
      delivery.body = std::move(change.body);
      delivery.mapHash = std::move(change.mapHash);
    }
    change_.created.push_back(std::move(delivery));
    return id;
  }

  /// Now, but after each earlier message about the patient to this partner: what has been called back, and what was
  /// made since, is told by these times, and clocks step back.
  Instant madeAt(const std::string& partner) const {
    Instant at = now_;
    for (const auto& other : work_.deliveries) {
      const bool tells = discloses(other.role) || other.role == Role::Recall;
      if (tells && other.partner == partner) at = std::max(at, other.createdAt + std::chrono::milliseconds(1));
    }
    return at;
  }

  // --- 6: follow

  void follow() {
    if (!file_.facts().referral || outdated_) return;  // letters tell of what the receiver has
    for (const auto& delivery : work_.deliveries) {
      if (delivery.state != DeliveryState::Held || isChanged(delivery.id) || !predecessorsDone(delivery)) continue;
      // A person has cancelled all that it would tell of.
      if (delivery.role == Role::Receipt && !anyDisclosed(work_.deliveries)) {
        cancel(delivery, reason::kCancelledByPerson);
        continue;
      }
      if (const auto plan = planOf(delivery)) change_.changed.push_back(prepareLeg(delivery, *plan));
    }
  }

  /// How a leg that is there already is made; none while it may not be: what discloses needs open gates.
  std::optional<transfer::LegPlan> planOf(const store::Delivery& delivery) const {
    for (const auto& plan : plans_) {
      if (roleOf(plan.role) == delivery.role && plan.partner == delivery.partner) return plan;
    }
    if (discloses(delivery.role)) return std::nullopt;
    transfer::LegPlan plan;
    for (const auto role : {transfer::Role::Pas, transfer::Role::Receipt, transfer::Role::PatientLetter,
                            transfer::Role::ClinicianLetter, transfer::Role::Recall}) {
      if (roleOf(role) == delivery.role) plan.role = role;
    }
    plan.partner = delivery.partner;
    return plan;
  }

  bool isChanged(const store::Id& delivery) const {
    return std::any_of(change_.changed.begin(), change_.changed.end(),
                       [&](const auto& change) { return change.id == delivery; });
  }

  bool predecessorsDone(const store::Delivery& delivery) const {
    return std::all_of(delivery.after.begin(), delivery.after.end(), [&](const store::Id& id) {
      const auto* before = find(id);
      return before != nullptr && (before->state == DeliveryState::Done ||
                                   (delivery.role == Role::Receipt && before->state == DeliveryState::Cancelled));
    });
  }

  const store::Delivery* find(const store::Id& id) const {
    for (const auto& delivery : work_.deliveries) {
      if (delivery.id == id) return &delivery;
    }
    return nullptr;
  }

  store::DeliveryChange prepareLeg(const store::Delivery& delivery, const transfer::LegPlan& plan,
                                   std::string replaces = {}) {
    Leg leg = legOf(configuration_, work_, file_, delivery, plan, legalBasis_);
    leg.createdAt = now_;
    leg.replaces = std::move(replaces);
    store::DeliveryChange change;
    change.id = delivery.id;
    if (leg.receiver == nullptr || leg.receiver->endpoint.empty()) {
      change.to = DeliveryState::Parked;
      change.reason = reason::kNoRoute;
      notes_.audit("leg-parked", delivery.id, change.reason);
      return change;
    }
    fhir::Issues issues;
    auto prepared = prepare(configuration_, delivery.role, leg, fonts_, issues);
    if (prepared.judgement) notes_.judged(std::move(*prepared.judgement), delivery.id);
    if (!prepared.reason.empty()) {
      change.to = DeliveryState::Parked;
      change.reason = prepared.reason;
      notes_.audit("leg-parked", delivery.id, change.reason, &issues);
      return change;
    }
    change.to = DeliveryState::Ready;
    change.mediaType = std::move(prepared.mediaType);
    change.body = std::move(prepared.body);
    change.mapHash = std::move(prepared.mapHash);
    return change;
  }

  // --- messages for local systems

  void handOn() {
    const Current& message = file_.current(RecordKind::Message);
    change_.state = store::TransferState::Released;
    if (!work_.deliveries.empty() || message.canonical == nullptr) return;
    auto delivery = localDelivery(configuration_, *message.record, *message.canonical);
    if (!delivery) {
      change_.state = store::TransferState::Parked;
      return notes_.noLocalSystem();
    }
    delivery->id = newId();
    delivery->bundleId = newId();
    delivery->createdAt = delivery->dueAt = now_;
    delivery->deadlineAt = now_ + kDeadline;
    notes_.audit("leg-created", delivery->id, store::name(Role::Local));
    change_.created.push_back(std::move(*delivery));
  }

  // --- the end

  void conclude() {
    bool allDone = !work_.deliveries.empty() && change_.created.empty() && change_.changed.empty();
    for (const auto& delivery : work_.deliveries) {
      allDone = allDone && (delivery.state == DeliveryState::Done || delivery.state == DeliveryState::Cancelled);
      if (delivery.state != DeliveryState::Parked || isChanged(delivery.id)) continue;
      parkedDelivery(delivery.role, delivery.reason);
    }
    for (const auto& delivery : change_.created) {
      if (delivery.state == DeliveryState::Parked) parkedDelivery(delivery.role, delivery.reason);
    }
    for (const auto& change : change_.changed) {
      if (change.to == DeliveryState::Parked) parkedDelivery(find(change.id)->role, change.reason);
    }
    if (allDone && change_.state == store::TransferState::Released) {
      change_.state = store::TransferState::Completed;
      if (work_.transfer.state != store::TransferState::Completed) notes_.audit("transfer-completed", {}, {});
    }
    change_.reasons = notes_.reasonsJson();
    if (change_.state != work_.transfer.state && change_.state == store::TransferState::Waiting)
      notes_.audit("transfer-waiting", {}, notes_.firstCode());
    if (change_.state != work_.transfer.state && change_.state == store::TransferState::Parked)
      notes_.audit("transfer-parked", {}, notes_.firstCode());
  }

  void parkedDelivery(Role role, std::string_view why) {
    if (change_.state != store::TransferState::Withdrawn) change_.state = store::TransferState::Parked;
    notes_.deliveryParked(role, why);
  }

  // --- small things

  store::Id newId() { return uuidV7(now_, random_); }

  void cancel(const store::Delivery& delivery, std::string_view why) {
    store::DeliveryChange change;
    change.id = delivery.id;
    change.to = DeliveryState::Cancelled;
    change.reason = why;
    change_.changed.push_back(std::move(change));
    notes_.audit("leg-cancelled", delivery.id, why);
  }

  void lookAgain() { change_.dueAt = now_ + kLookAgain; }

  const Configuration& configuration_;
  const store::TransferWork& work_;
  Random& random_;
  letter::Fonts& fonts_;
  Remake* const remake_;  // null: nobody has asked for that
  const Instant now_;
  const sweden::CivilDate today_;
  Notes notes_;
  CaseFile file_;
  store::TransferChange change_;
  bool changed_ = false;                  // legs were made of an older version, as told before or seen in this pass
  bool outdated_ = false;                 // and some of them have left
  std::string_view legalBasis_;           // once the gates are open
  std::vector<transfer::LegPlan> plans_;  // likewise
};

}  // namespace

Result<store::TransferChange> Thinker::think(const Configuration& configuration, const store::TransferWork& work,
                                             Remake* remake) {
  Pass pass(configuration, work, clock_, random_, *fonts_, remake);
  auto change = pass.run();
  for (const auto& judgement : pass.judgements()) judged_(judgement);
  return change;
}

}  // namespace lotsen::service
