// Legs: from the state of a transfer to the bytes of one message or letter. Builds the Leg record (logical model
// mappings/out/leg.model.json: who, to whom, ids, texts and the canonical resources), runs the out-map of the role, and
// for a letter the template. What a receiver may see is decided by the map alone. Used by: thinking.h. Thread rule:
// pure; the fonts belong to one thread. Failure rule: faults are in `issues`, and the result then has the reason code
// to park with.
#pragma once

#include "gateway/service/judging.h"
#include "gateway/transfer/route.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::service {

/// A message with patient data that a receiver has got.
struct Disclosed {
  store::Role role = store::Role::Provider;
  const Partner* receiver = nullptr;
  std::string messageId;
  Instant at;
};

struct Leg {
  transfer::LegPlan plan;
  store::Id transfer;
  std::string caseNumber;
  std::string messageId, bundleId;
  Instant createdAt;
  const Partner* receiver = nullptr;  // whom it goes to; nullptr for letters
  const Partner* provider = nullptr;  // the new provider of this transfer
  const Partner* mediator = nullptr;
  const transfer::Agreement* agreement = nullptr;
  const fhir::Document* referral = nullptr;  // canonical Bundles; nullptr where there is none
  const fhir::Document* consent = nullptr;
  const fhir::Document* btf = nullptr;
  const store::Record* original = nullptr;  // the referral's record, if its canonical form is not all of it
  std::string_view legalBasis;              // transfer::legalBasis; empty for legs that follow
  struct {
    const Partner* by = nullptr;
    std::string messageId;
    Instant at;
  } acknowledged;                    // of the provider leg, for those that follow it
  std::vector<Disclosed> disclosed;  // so far, for the receipt
  std::string recallOf;              // messageId of the message that is called back
  std::string replaces;              // messageId of the message that this one takes the place of
};

struct Prepared {
  std::string_view reason;  // why it is to be parked; empty: it may go
  std::string mediaType, body, mapHash;
  std::optional<Judgement> judgement;  // of the message, or of what the template got
};

/// The Leg record as a document of the Leg model; an Error when the model lacks an element.
Result<fhir::Document> legRecord(const Configuration& configuration, const Leg& leg, fhir::Issues& issues);

/// `fonts` is for letters.
Prepared prepare(const Configuration& configuration, store::Role role, const Leg& leg, letter::Fonts& fonts,
                 fhir::Issues& issues);

}  // namespace lotsen::service
