#include "gateway/service/leg_facts.h"

#include "gateway/fhir/outcome.h"
#include "gateway/service/arrival.h"
#include "gateway/service/understanding.h"

#include <algorithm>

namespace lotsen::service {

using store::DeliveryState;
using store::RecordKind;
using store::Role;

Leg legOf(const Configuration& configuration, const store::TransferWork& work, const CaseFile& file,
          const store::Delivery& delivery, const transfer::LegPlan& plan, std::string_view legalBasis) {
  Leg leg;
  leg.plan = plan;
  leg.transfer = work.transfer.id;
  leg.caseNumber = work.transfer.caseKey;
  leg.messageId = delivery.messageId;
  leg.bundleId = delivery.bundleId;
  leg.receiver = configuration.partner(delivery.partner);
  leg.agreement = file.agreement();
  leg.legalBasis = legalBasis;
  if (leg.agreement != nullptr) {
    leg.provider = configuration.partner(leg.agreement->provider);
    leg.mediator = configuration.partner(leg.agreement->mediator);
  }
  leg.referral = file.current(RecordKind::Referral).canonical;
  if (leg.referral != nullptr && needsOriginal(*leg.referral)) leg.original = file.current(RecordKind::Referral).record;
  leg.consent = file.current(RecordKind::Consent).canonical;
  leg.btf = file.current(RecordKind::Btf).canonical;
  for (const auto& other : work.deliveries) {
    const Partner* partner = configuration.partner(other.partner);
    if (other.role == Role::Provider && other.state == DeliveryState::Done)
      leg.acknowledged = {partner, other.messageId, other.finishedAt};
    if (!wasDisclosed(work.deliveries, other)) continue;
    leg.disclosed.push_back({other.role, partner, other.messageId, other.finishedAt});
    if (delivery.role == Role::Recall && other.partner == delivery.partner) leg.recallOf = other.messageId;
  }
  return leg;
}

std::optional<store::Delivery> localDelivery(const Configuration& configuration, const store::Record& message,
                                             const fhir::Document& bundle) {
  const fhir::Element* header = fhir::firstResource(bundle, bundle.root(), "MessageHeader");
  const auto endpoint = fhir::valueAt(bundle, header, "destination.endpoint");
  const auto receiver = fhir::valueAt(bundle, header, "destination.receiver.identifier.value");
  for (const auto& [id, partner] : configuration.partners) {
    if (!partner.local || partner.endpoint.empty()) continue;
    if (partner.contact.endpoint != endpoint && (receiver.empty() || partner.contact.hsaId != receiver)) continue;
    store::Delivery delivery;
    delivery.transfer = message.transfer;
    delivery.role = Role::Local;
    delivery.partner = id;
    delivery.endpoint = partner.endpoint;
    delivery.state = DeliveryState::Ready;
    delivery.messageId = message.businessId;
    delivery.mediaType = message.mediaType;
    delivery.body = message.body;  // handed on as it came
    return delivery;
  }
  return std::nullopt;
}

}  // namespace lotsen::service
