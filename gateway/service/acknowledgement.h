// Acknowledgements of FHIR messages (R4 messaging, MessageHeader.response): reading them, and making ours.
// Used by: reception.h (they come as messages), delivery (they come as HTTP answers), inbound.
// Thread rule: pure. Failure rule: what is not an acknowledgement is std::nullopt, never a guess.
#pragma once

#include "gateway/fhir/outcome.h"
#include "gateway/queue/core.h"
#include "gateway/service/configuration.h"

#include <optional>
#include <string>

namespace lotsen::service {

enum class AckCode : std::uint8_t { Ok, TransientError, FatalError };

struct Acknowledgement {
  std::string request;  // MessageHeader.id of the message it answers (a urn:uuid: prefix is taken off)
  AckCode code = AckCode::Ok;
};

/// The acknowledgement that this message Bundle is; nullopt if it is a message of another kind or no message at all.
std::optional<Acknowledgement> acknowledgementIn(const fhir::Document& bundle);

/// What the receiver's HTTP answer means for the delivery: an acknowledgement bound to our request decides; a positive
/// status without one means that the receiver has the message and the acknowledgement comes later; all else is the
/// table in queue. An acknowledgement that names another request changes nothing: the attempt counts as unanswered.
queue::Verdict classifyAnswer(const Configuration& configuration, const store::Claimed& claimed,
                              const queue::Answer& answer);

struct AnswerHeader {
  std::string messageId, bundleId;  // of the answer
  std::string request;              // MessageHeader.id it answers
  std::string requestEndpoint;      // MessageHeader.source.endpoint of the request
  std::string eventSystem, eventCode, eventUri;
  Instant at;
};

/// The positive response Bundle (JSON). R4: response.identifier is the request's MessageHeader.id.
std::string positiveAnswer(const Configuration& configuration, const AnswerHeader& header);

}  // namespace lotsen::service
