#include "gateway/service/arrival.h"

#include "gateway/service/reasons.h"

#include <algorithm>

namespace lotsen::service {

using store::DeliveryState;
using store::Role;

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

bool discloses(Role role) {
  return role == Role::Provider || role == Role::Mediator;
}

bool isUnsent(const store::Delivery& delivery) {
  return delivery.state == DeliveryState::Held || delivery.state == DeliveryState::Queued ||
         delivery.state == DeliveryState::Ready;
}

bool mayHaveArrived(const store::Delivery& delivery) {
  switch (delivery.state) {
    case DeliveryState::Done:
    case DeliveryState::Awaiting:
    case DeliveryState::Resolving: return true;
    case DeliveryState::Leased: return delivery.sending;
    case DeliveryState::Parked:
      for (const auto reason : {reason::kAmbiguous, reason::kDeadlinePassed, reason::kReceiverFailed,
                                reason::kReadBackUnclear, reason::kResendLimit, reason::kIntermediaryAnswered,
                                reason::kUnknownAcknowledgement, reason::kParkedUnresolved}) {
        if (delivery.reason == reason) return delivery.everSent;
      }
      return false;
    default: return false;
  }
}

bool hasLeft(const store::Delivery& delivery) {
  return discloses(delivery.role) && (mayHaveArrived(delivery) || delivery.state == DeliveryState::Leased);
}

bool isRecalled(const std::vector<store::Delivery>& all, const store::Delivery& sent) {
  return std::any_of(all.begin(), all.end(), [&](const auto& other) {
    return other.role == Role::Recall && other.partner == sent.partner && other.createdAt >= sent.createdAt;
  });
}

bool wasDisclosed(const std::vector<store::Delivery>& all, const store::Delivery& delivery) {
  return discloses(delivery.role) &&
         (mayHaveArrived(delivery) || (delivery.state == DeliveryState::Cancelled && isRecalled(all, delivery)));
}

bool anyDisclosed(const std::vector<store::Delivery>& all) {
  return std::any_of(all.begin(), all.end(), [&](const auto& delivery) { return wasDisclosed(all, delivery); });
}

bool endedByPerson(const store::Delivery& delivery) {
  return delivery.state == DeliveryState::Cancelled && delivery.reason == reason::kCancelledByPerson;
}

}  // namespace lotsen::service
