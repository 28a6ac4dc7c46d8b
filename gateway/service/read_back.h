// What a receiver's answer to "do you have this message?" means: a search by business identifier, whose answer is a
// searchset Bundle. Used by: app, which gives it to the delivery core (queue/core.h, "Reading back").
// Thread rule: pure. Failure rule: whatever is not certain is Unclear, which leads to a person: an answer that is read
// too kindly loses a referral ("there") or doubles one ("not there").
#pragma once

#include "gateway/fhir/schema.h"
#include "gateway/queue/core.h"

#include <memory>
#include <string_view>

namespace lotsen::service {

/// `acknowledges`: the partner sends a business acknowledgement, so "there" is not yet the end.
///   200, searchset, exactly one match that names the message    Accepted, or Arrived if it acknowledges
///   200, searchset without a match, and no total that says else Absent
///   not answered, or a status that the table of queue/outcome.h would repeat, or 401 and 403   NoAnswer
///   all else, a 404 too (it may be a wrong address)             Unclear
/// A match names the message if its id or an identifier's value is the message id (`urn:uuid:` may stand before it), or
/// if it is a Bundle whose MessageHeader has that id.
queue::Finding understandReadBack(const std::shared_ptr<const fhir::Schema>& schema, std::string_view messageId,
                                  bool acknowledges, const queue::Answer& answer);

}  // namespace lotsen::service
