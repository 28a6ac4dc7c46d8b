// Acknowledgements of FHIR messages (R4 messaging, MessageHeader.response): reading them, and making ours.
// Used by: reception.h (they come as messages), delivery (they come as HTTP answers), inbound.
// Thread rule: pure. Failure rule: what is not an acknowledgement is std::nullopt, never a guess.
#pragma once

#include "gateway/fhir/outcome.h"
#include "gateway/queue/core.h"
#include "gateway/service/configuration.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::service {

struct Acknowledgement {
  std::string request;  // what it answers: MessageHeader.id, Bundle.identifier or Bundle.id of ours, without
                        // urn:uuid:; empty if it does not say
  std::string code;     // MessageHeader.response.code as it stands
  std::vector<std::string> details;  // of errors in its OperationOutcomes, see errorCodes()
};

/// The acknowledgement that this message Bundle is; nullopt if it is a message of another kind or no message at all.
std::optional<Acknowledgement> acknowledgementIn(const fhir::Document& bundle);

/// Codes of the errors in an OperationOutcome as the dictionaries of partners spell them, in the order of the document:
/// "REC_CONFLICT/duplicate", "REC_CONFLICT" (details.coding, with and without the issue's own code).
std::vector<std::string> errorCodes(const fhir::Document& document, const fhir::Element* outcome);

/// What an acknowledgement leads to by the partner's dictionary: Done, Retry or Park. The code of an error that stands
/// there says more than a response code that is not positive. None: the dictionary has no word for it.
std::optional<queue::Outcome> meaningOf(const Personality& personality, const Acknowledgement& acknowledgement);

/// What the receiver's HTTP answer means for the delivery: an acknowledgement bound to our request decides by the
/// partner's dictionary; else the code of an error in an OperationOutcome that stands there; else the status, by the
/// dictionary or the table in queue. A positive one without an acknowledgement: the receiver has it, and one comes
/// later from those who acknowledge. An acknowledgement that names another request changes nothing: the attempt counts
/// as unanswered, and so does what only an intermediary can have said.
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

/// What positiveAnswer() made, in another envelope: Bundle.id and Bundle.timestamp, and no other byte.
std::string inNewEnvelope(std::string answer, std::string_view bundleId, Instant at);

}  // namespace lotsen::service
