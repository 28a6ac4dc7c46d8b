// What a delivery's state says about its receiver: whether it may have the message, whether it is to be told of in the
// disclosure receipt. Used by: thinking.h, leg_facts.h, operator.h. Thread rule: pure. Failure rule: none.
#pragma once

#include "gateway/store/store.h"
#include "gateway/transfer/route.h"

namespace lotsen::service {

store::Role roleOf(transfer::Role role);

/// A leg that takes patient data to another care giver.
bool discloses(store::Role role);

/// Certainly nothing of it has left, and it would go by itself.
bool isUnsent(const store::Delivery& delivery);

/// The receiver has it, or may have it.
bool mayHaveArrived(const store::Delivery& delivery);

/// A message with patient data that has left, or is leaving at this moment.
bool hasLeft(const store::Delivery& delivery);

/// Of all deliveries of a transfer: one has called `sent` back.
bool isRecalled(const std::vector<store::Delivery>& all, const store::Delivery& sent);

/// The receiver may have got patient data by it. A leg that may have arrived at a withdrawal is cancelled to make way
/// for its recall; the recall tells of it.
bool wasDisclosed(const std::vector<store::Delivery>& all, const store::Delivery& delivery);
bool anyDisclosed(const std::vector<store::Delivery>& all);

/// A person has ended it: it does not come back by itself.
bool endedByPerson(const store::Delivery& delivery);

}  // namespace lotsen::service
