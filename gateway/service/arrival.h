// What a delivery's state says about its receiver: whether it may have the message, whether it is to be told of in the
// disclosure receipt. Used by: thinking.h, operator.h. Thread rule: pure. Failure rule: none.
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

/// A person has ended it: it does not come back by itself.
bool endedByPerson(const store::Delivery& delivery);

}  // namespace lotsen::service
