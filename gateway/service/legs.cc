#include "gateway/service/legs.h"

#include "gateway/crypto/base64.h"
#include "gateway/crypto/digest.h"
#include "gateway/fhir/outcome.h"
#include "gateway/letter/render.h"
#include "gateway/service/reasons.h"

namespace lotsen::service {

namespace {

// Fills a record of the Leg model by element names. A name that the model lacks is a fault of the shipped model, told
// once.
class Filler {
 public:
  Filler(fhir::Document& document, fhir::Issues& issues) : document_(document), issues_(issues) {}

  fhir::Element* group(fhir::Element* parent, std::string_view name) {
    const auto& schema = document_.schema();
    const auto* property = schema.property(schema.shapeOf(parent->def, parent->type), schema.findName(name));
    if (property == nullptr) {
      issues_.error("exception", "leg-model",
                    "the Leg model has no element " + std::string(name) +
                        "; mappings/out and the gateway are of different versions");
      return nullptr;
    }
    return document_.append(parent, *property);
  }

  void text(fhir::Element* parent, std::string_view name, std::string_view value) {
    if (parent == nullptr || value.empty()) return;
    if (auto* element = group(parent, name)) document_.setValue(element, value);
  }

  void contact(fhir::Element* parent, std::string_view name, const Contact* contact) {
    if (contact == nullptr) return;
    auto* element = group(parent, name);
    text(element, "hsaId", contact->hsaId);
    text(element, "name", contact->name);
    text(element, "endpoint", contact->endpoint);
    text(element, "phone", contact->phone);
    for (const auto& line : contact->addressLines) text(element, "addressLine", line);
    text(element, "postalCode", contact->postalCode);
    text(element, "city", contact->city);
  }

  void bundle(fhir::Element* parent, std::string_view name, const fhir::Document* bundle) {
    if (bundle == nullptr) return;
    const auto& schema = document_.schema();
    const auto* property = schema.property(schema.shapeOf(parent->def, parent->type), schema.findName(name));
    if (property != nullptr) document_.attach(parent, *property, document_.clone(*bundle, bundle->root()));
  }

 private:
  fhir::Document& document_;
  fhir::Issues& issues_;
};

std::string_view agreementKind(transfer::AgreementKind kind) {
  switch (kind) {
    case transfer::AgreementKind::Internal: return "internal";
    case transfer::AgreementKind::OwnRegion: return "own-region";
    case transfer::AgreementKind::OtherRegion: return "other-region";
  }
  return "own-region";
}

const Contact* contactOf(const Partner* partner) {
  return partner == nullptr ? nullptr : &partner->contact;
}

// Ids of the Task and Provenance in the message: made of the message's own id, so that a retry or re-run has the same.
std::string derivedId(const std::string& messageId, std::string_view what) {
  return crypto::uuidV5(messageId, what);
}

// One line of the disclosure receipt for each document that a receiver got (patientdatalagen 3:11).
void disclose(Filler& filler, fhir::Element* root, const Leg& leg) {
  for (const auto& disclosed : leg.disclosed) {
    const auto line = [&](std::string_view documentId, std::string_view title) {
      auto* entry = filler.group(root, "disclosures");
      filler.text(entry, "documentId", documentId);
      filler.text(entry, "title", title);
      filler.text(entry, "receiver", disclosed.receiver == nullptr ? "" : disclosed.receiver->contact.hsaId);
      filler.text(entry, "receiverName", disclosed.receiver == nullptr ? "" : disclosed.receiver->contact.name);
      filler.text(entry, "at", formatInstant(disclosed.at));
      filler.text(entry, "messageId", disclosed.messageId);
    };
    const bool provider = disclosed.role == store::Role::Provider;
    line({}, provider ? "remiss" : "uppgifter för placering");
    if (provider && leg.original != nullptr) line({}, "remissens originalunderlag");
    if (leg.btf != nullptr && leg.agreement != nullptr && leg.agreement->kind != transfer::AgreementKind::Internal)
      line({}, "betalningsförbindelse");
    const bool documents = provider || (leg.agreement != nullptr && leg.agreement->mediatorGetsDocuments);
    if (!documents || leg.referral == nullptr) continue;
    const fhir::Document& referral = *leg.referral;
    const auto& schema = referral.schema();
    const auto entryName = schema.findName("entry");
    const auto documentReference = schema.findType("DocumentReference");
    for (const auto* entry = fhir::child(referral.root(), entryName); entry != nullptr && entry->name == entryName;
         entry = entry->next) {
      const auto* resource = fhir::child(referral, entry, "resource");
      if (resource == nullptr || resource->type != documentReference) continue;
      const auto title = fhir::valueAt(referral, resource, "description");
      line(fhir::valueAt(referral, resource, "identifier.value"), title.empty() ? "medicinskt underlag" : title);
    }
  }
}

}  // namespace

Result<fhir::Document> legRecord(const Configuration& configuration, const Leg& leg, fhir::Issues& issues) {
  fhir::Document document(configuration.schema());
  fhir::Element* root = document.createRoot(configuration.legModel);
  Filler filler(document, issues);
  filler.text(root, "role", transfer::name(leg.plan.role));
  filler.text(root, "transferId", leg.transfer);
  filler.text(root, "caseNumber", leg.caseNumber);
  filler.text(root, "messageId", leg.messageId);
  filler.text(root, "bundleId", leg.bundleId);
  filler.text(root, "taskId", derivedId(leg.messageId, "task"));
  filler.text(root, "provenanceId", derivedId(leg.messageId, "provenance"));
  if (leg.receiver != nullptr) filler.text(root, "focus", leg.receiver->personality.focus);
  filler.text(root, "createdAt", formatInstant(leg.createdAt));
  filler.text(root, "legalBasis", leg.legalBasis);
  filler.text(root, "btf", transfer::name(leg.plan.btf));
  filler.text(root, "includeReferral", leg.plan.referral ? "true" : "false");
  filler.text(root, "includeDocuments", leg.plan.documents ? "true" : "false");
  filler.contact(root, "sender", &configuration.gateway);
  filler.contact(root, "receiver", contactOf(leg.receiver));
  filler.contact(root, "provider", contactOf(leg.provider));
  filler.contact(root, "mediator", contactOf(leg.mediator));
  auto* region = filler.group(root, "region");
  filler.text(region, "code", configuration.policy.region);
  filler.text(region, "name", configuration.regionName);
  filler.text(region, "organisationNumber", configuration.regionOrganisationNumber);
  if (leg.agreement != nullptr) {
    auto* agreement = filler.group(root, "agreement");
    filler.text(agreement, "id", leg.agreement->id);
    filler.text(agreement, "kind", agreementKind(leg.agreement->kind));
    filler.text(agreement, "ownerRegion", leg.agreement->ownerRegion);
  }
  auto* policy = filler.group(root, "policy");
  for (const auto& [name, value] : configuration.texts) filler.text(policy, name, value);
  if (leg.acknowledged.by != nullptr) {
    auto* acknowledged = filler.group(root, "acknowledged");
    filler.text(acknowledged, "by", leg.acknowledged.by->contact.hsaId);
    filler.text(acknowledged, "byName", leg.acknowledged.by->contact.name);
    filler.text(acknowledged, "at", formatInstant(leg.acknowledged.at));
    filler.text(acknowledged, "messageId", leg.acknowledged.messageId);
  }
  if (leg.plan.role == transfer::Role::Receipt) disclose(filler, root, leg);
  filler.text(root, "recallOf", leg.recallOf);
  filler.text(root, "replaces", leg.replaces);
  // All of the record, so only whoever gets all of the referral may have it: no other leg ever holds it.
  if (leg.original != nullptr && leg.plan.role == transfer::Role::Provider) {
    auto* original = filler.group(root, "original");
    filler.text(original, "mediaType", leg.original->mediaType);
    filler.text(original, "receivedAt", formatInstant(leg.original->receivedAt));
    filler.text(original, "content", crypto::base64Encode(leg.original->body));
  }
  filler.bundle(root, "referral", leg.referral);
  filler.bundle(root, "consent", leg.consent);
  filler.bundle(root, "btfRecord", leg.btf);
  if (issues.hasErrors()) return fail(Code::Internal, "the Leg model does not fit");
  return document;
}

Prepared prepare(const Configuration& configuration, store::Role role, const Leg& leg, letter::Fonts& fonts,
                 fhir::Issues& issues) {
  const bool isLetter = role == store::Role::PatientLetter || role == store::Role::ClinicianLetter;
  Prepared prepared;
  prepared.reason = isLetter ? reason::kLetterIncomplete : reason::kMessageFailed;
  const auto found = configuration.legs.find(role);
  if (found == configuration.legs.end()) {
    issues.error("not-supported", "no-map", "no map is configured for the leg " + std::string(store::name(role)));
    return prepared;
  }
  const LegMaker& maker = found->second;
  const auto record = legRecord(configuration, leg, issues);
  if (!record.ok()) return prepared;
  const auto target = mapping::transform(*maker.map, *record, {leg.createdAt, leg.messageId}, issues);
  if (!target.ok() || issues.hasErrors()) return prepared;
  prepared.mapHash = maker.map->hash();
  const auto kind = isLetter ? store::name(role) : messageKind(configuration, *target);
  prepared.judgement = judge(configuration, *target, Direction::Out, leg.receiver, kind, maker.profiles, issues);
  if (prepared.judgement->judged == Judged::Refused) {
    if (!isLetter) prepared.reason = reason::kMessageInvalid;
    return prepared;
  }
  if (maker.letter != nullptr) {
    const letter::RenderOptions options{leg.createdAt, configuration.printProfile, &fonts};
    auto rendered = letter::render(*maker.letter, *target, letter::Format::Pdf, options, issues);
    if (!rendered.ok()) return prepared;
    prepared.mediaType = rendered->mediaType;
    prepared.body = std::move(rendered->bytes);
  } else {
    prepared.mediaType = "application/fhir+json";
    prepared.body = fhir::writeJson(*target);
  }
  prepared.reason = {};
  return prepared;
}

}  // namespace lotsen::service
