#include "gateway/transfer/facts.h"

#include "gateway/sweden/organisation.h"
#include "gateway/sweden/personal_id.h"
#include "gateway/transfer/names.h"
#include "gateway/transfer/resource_view.h"

#include <array>
#include <charconv>
#include <utility>

namespace lotsen::transfer {

namespace {

using fhir::Element;

// Collects the faults of one record.
class Reader {
 public:
  Reader(const fhir::Document& document, fhir::Issues& issues) : view_(document), issues_(issues) {}

  const ResourceView& view() const { return view_; }

  void missing(std::string_view what, std::string path, const Element* at = nullptr) {
    fault("required", "fact-missing", std::string(what) + " is missing; send the record again with it", std::move(path),
          at);
  }
  void wrong(std::string_view what, std::string path, const Element* at = nullptr) {
    fault("value", "fact-wrong", std::string(what), std::move(path), at);
  }

  const Element* resource(std::string_view type) {
    const Element* found = view_.first(type);
    if (found == nullptr) {
      const std::string name(type);
      missing("the " + name, "Bundle.entry.resource.ofType(" + name + ")");
    }
    return found;
  }

  std::string requiredIdentifier(const Element* resource, std::string_view system, std::string_view what) {
    std::string id(view_.identifier(resource, system));
    if (id.empty()) missing(what, view_.path(resource, "Bundle") + ".identifier", resource);
    return id;
  }

  std::int64_t version(const Element* resource) {
    const Element* extension = view_.extension(resource, kRecordVersion);
    const auto text = view_.value(extension, "value");
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 1) {
      missing("the version of the record (a positive number)",
              view_.path(resource, "Bundle") + ".extension('" + std::string(kRecordVersion) + "').value", resource);
    }
    return number;
  }

  PatientIdentity patient(const Element* holder, std::string_view element) {
    const Element* reference = view_.child(holder, element);
    const Element* found = view_.target(holder, reference);
    const Element* identifier = found != nullptr ? chosenIdentifier(found) : view_.child(reference, "identifier");
    PatientIdentity identity{std::string(view_.value(identifier, "system")),
                             Phi<std::string>(std::string(view_.value(identifier, "value")))};
    // The same number stands under more than one spelling of its system.
    sweden::PersonalIdKind kind{};
    if (sweden::isPersonalIdSystem(identity.system, &kind)) identity.system = sweden::identifierSystem(kind);
    if (identity.system.empty() || identity.value.reveal().empty()) {
      missing("the patient's identifier with its system", view_.path(holder, "Bundle") + "." + std::string(element),
              holder);
    }
    return identity;
  }

  // An element that may be absent, but if it is there must be a day.
  std::optional<CivilDate> day(const Element* from, std::string_view path) {
    const auto text = view_.value(from, path);
    if (text.empty()) return {};
    auto read = sweden::civilDateOf(text);
    if (!read.ok()) {
      wrong("a full date is needed, or a time with its zone", view_.path(from, "Bundle") + "." + std::string(path),
            from);
      return {};
    }
    return *read;
  }

  template <typename Facts>
  Result<Facts> done(Facts facts, std::string_view record) {
    if (faulty_)
      return fail(Code::Invalid, "the " + std::string(record) + " lacks what its transfer needs; see the issues");
    return facts;
  }

 private:
  // The first Swedish personal identifier, else the first of any kind.
  const Element* chosenIdentifier(const Element* patient) {
    const auto identifiers = view_.all(patient, "identifier");
    for (const Element* identifier : identifiers) {
      if (sweden::isPersonalIdSystem(view_.value(identifier, "system"))) return identifier;
    }
    return identifiers.empty() ? nullptr : identifiers.front();
  }

  void fault(std::string_view code, std::string_view rule, std::string text, std::string path, const Element* at) {
    faulty_ = true;
    issues_.error(code, rule, std::move(text), std::move(path), at == nullptr ? fhir::Position{} : at->at);
  }

  ResourceView view_;
  fhir::Issues& issues_;
  bool faulty_ = false;
};

bool isProtected(const ResourceView& view, const Element* patient) {
  for (const Element* label : view.all(view.child(patient, "meta"), "security")) {
    const auto code = view.value(label, "code");
    if (view.value(label, "system") == kSecurityLabelSystem &&
        (code == "sekretessmarkering" || code == "skyddadFolkbokforing")) {
      return true;
    }
  }
  return false;
}

Assessment assessmentOf(Reader& reader, const Element* request) {
  const ResourceView& view = reader.view();
  const Element* kind = view.extension(view.extension(request, kAssessment), "kind");
  if (kind == nullptr) return Assessment::None;
  const auto code = view.value(kind, "value");
  if (code == "lotsas") return Assessment::Lotsas;
  if (code == "lotsas-inte") return Assessment::LotsasInte;
  if (code == "vardgaranti-uppfylls") return Assessment::VardgarantiUppfylls;
  reader.wrong("the assessment is lotsas, lotsas-inte or vardgaranti-uppfylls", view.path(kind, "Bundle") + ".value",
               kind);
  return Assessment::None;
}

// A document counts when its bytes are in the Bundle.
std::size_t documentsOf(const ResourceView& view, const Element* request) {
  std::size_t count = 0;
  for (const Element* reference : view.all(request, "supportingInfo")) {
    const Element* document = view.target(request, reference);
    const Element* attachment = view.child(view.child(document, "content"), "attachment");
    if (attachment == nullptr) continue;
    if (!view.value(attachment, "data").empty()) {
      ++count;
    } else if (const auto url = view.value(attachment, "url"); !url.empty()) {
      const Element* binary = view.targetOf(document, url);
      if (!view.value(binary, "data").empty()) ++count;
    }
  }
  return count;
}

template <typename Value, std::size_t Size>
const Value* find(const std::array<std::pair<std::string_view, Value>, Size>& table, std::string_view key) {
  for (const auto& [name, value] : table) {
    if (name == key) return &value;
  }
  return nullptr;
}

constexpr std::array<std::pair<std::string_view, ConsentStatus>, 6> kStatuses{{
    {"draft", ConsentStatus::Draft},
    {"proposed", ConsentStatus::Proposed},
    {"active", ConsentStatus::Active},
    {"rejected", ConsentStatus::Rejected},
    {"inactive", ConsentStatus::Inactive},
    {"entered-in-error", ConsentStatus::EnteredInError},
}};

constexpr std::array<std::pair<std::string_view, ConsentBasis>, 5> kBases{{
    {"OPTIN", ConsentBasis::Explicit},
    {"OPTINR", ConsentBasis::Explicit},
    {"IMPLIEDD", ConsentBasis::Silence},
    {"IMPLIED", ConsentBasis::InternalRule},
    {"OPTOUT", ConsentBasis::OptOut},
}};

constexpr std::string_view kActCode = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

}  // namespace

Result<ReferralFacts> referralFacts(const fhir::Document& bundle, fhir::Issues& issues) {
  Reader reader(bundle, issues);
  const ResourceView& view = reader.view();
  ReferralFacts facts;
  const Element* request = reader.resource("ServiceRequest");
  if (request == nullptr) return reader.done(std::move(facts), "referral");
  facts.id = reader.requiredIdentifier(request, kReferralIdSystem, "the referral's id");
  facts.version = reader.version(request);
  facts.active = view.value(request, "status") == "active";
  facts.patient = reader.patient(request, "subject");
  facts.protectedIdentity = isProtected(view, view.target(request, view.child(request, "subject")));
  facts.requesterUnit = view.targetUnit(request, view.child(request, "requester"));
  facts.receiver = view.targetUnit(request, view.child(request, "performer"));
  facts.agreement = view.value(view.extension(request, kAgreement), "value.value");
  facts.assessment = assessmentOf(reader, request);
  facts.documents = documentsOf(view, request);
  return reader.done(std::move(facts), "referral");
}

Result<ConsentFacts> consentFacts(const fhir::Document& bundle, fhir::Issues& issues) {
  Reader reader(bundle, issues);
  const ResourceView& view = reader.view();
  ConsentFacts facts;
  const Element* consent = reader.resource("Consent");
  if (consent == nullptr) return reader.done(std::move(facts), "consent");
  facts.id = reader.requiredIdentifier(consent, kConsentIdSystem, "the consent's id");
  facts.version = reader.version(consent);
  facts.patient = reader.patient(consent, "patient");

  const std::string path = view.path(consent, "Bundle");
  if (const auto* status = find(kStatuses, view.value(consent, "status")); status != nullptr) {
    facts.status = *status;
  } else {
    reader.missing("the consent's status", path + ".status", consent);
  }
  if (const Element* rule = view.child(consent, "policyRule"); rule != nullptr) {
    const auto* basis = find(kBases, view.code(rule, kActCode));
    facts.basis = basis != nullptr ? *basis : ConsentBasis::Unknown;
  }
  if (view.value(consent, "dateTime").empty()) {
    reader.missing("the day of the consent", path + ".dateTime", consent);
  } else if (const auto date = reader.day(consent, "dateTime"); date.has_value()) {
    facts.date = *date;
  }

  const Element* provision = view.child(consent, "provision");
  for (const Element* data : view.all(provision, "data")) {
    facts.referral = view.targetIdentifier(consent, view.child(data, "reference"), kReferralIdSystem);
    if (!facts.referral.empty()) break;
  }
  if (facts.referral.empty())
    reader.missing("the referral that the consent is about", path + ".provision.data", consent);
  const auto actors = view.all(provision, "actor");
  if (actors.size() == 1) facts.receiver = view.targetUnit(consent, view.child(actors.front(), "reference"));
  if (facts.receiver.empty()) {
    reader.missing("exactly one named receiver (a consent is for one provider)", path + ".provision.actor", consent);
  }
  facts.informedOn = reader.day(view.extension(consent, kInformationSent), "value");
  facts.responseDeadline = reader.day(view.extension(consent, kResponseDeadline), "value");
  return reader.done(std::move(facts), "consent");
}

Result<BtfFacts> btfFacts(const fhir::Document& bundle, fhir::Issues& issues) {
  Reader reader(bundle, issues);
  const ResourceView& view = reader.view();
  BtfFacts facts;
  const Element* coverage = reader.resource("Coverage");
  const Element* decision = reader.resource("ClaimResponse");
  if (coverage == nullptr || decision == nullptr) return reader.done(std::move(facts), "BTF");
  facts.id = reader.requiredIdentifier(coverage, kBtfIdSystem, "the BTF's id");
  facts.version = reader.version(coverage);
  facts.active = view.value(coverage, "status") == "active" && view.value(decision, "status") == "active" &&
                 view.value(decision, "outcome") == "complete";
  facts.patient = reader.patient(coverage, "beneficiary");
  const Element* about = view.extension(coverage, kBtfReferral);
  facts.referral = view.targetIdentifier(coverage, view.child(about, "value"), kReferralIdSystem);
  if (facts.referral.empty()) {
    reader.missing("the referral that the BTF is for",
                   view.path(coverage, "Bundle") + ".extension('" + std::string(kBtfReferral) + "')", coverage);
  }
  facts.receiver = view.targetUnit(decision, view.child(decision, "requestor"));
  const Element* period = view.child(coverage, "period");
  facts.from = reader.day(period, "start");
  facts.until = reader.day(period, "end");
  facts.approvedOn = reader.day(decision, "created");
  const Element* payor = view.child(coverage, "payor");
  facts.payorRegion = view.targetIdentifier(coverage, payor, kRegionSystem);
  facts.type = view.code(view.child(coverage, "type"), "urn:oid:1.2.752.129.2.2.2.44");
  for (const Element* part : view.all(coverage, "class")) {
    const auto kind = view.code(view.child(part, "type"), kBtfClassSystem);
    const auto value = view.value(part, "value");
    if (kind == "chapter") facts.chapter = value;
    if (kind == "reimbursement") facts.reimbursement = value;
    if (kind == "contract-owner") facts.contractOwner = value;
  }
  return reader.done(std::move(facts), "BTF");
}

}  // namespace lotsen::transfer
