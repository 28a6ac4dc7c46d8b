// The reason codes that service writes beside the gates' own (gateway/transfer/gates.h). Each stands in
// docs/reasons.md and in the OpenAPI file with what a person does about it; a test keeps the three in step.
#pragma once

#include "gateway/store/operations.h"

#include <string_view>

namespace lotsen::service::reason {

// a record is parked
inline constexpr std::string_view kMappingFailed = "mapping-failed";
inline constexpr std::string_view kCanonicalInvalid = "canonical-invalid";
inline constexpr std::string_view kSourceUnaccounted = "source-unaccounted";
// a transfer is parked
inline constexpr std::string_view kNoRoute = "no-route";
inline constexpr std::string_view kDeliveryParked = "delivery-parked";
inline constexpr std::string_view kRecordParked = "record-parked";
inline constexpr std::string_view kChangedAfterSending = "changed-after-sending";
// a delivery is parked, cancelled or tried again
inline constexpr std::string_view kLetterIncomplete = "letter-incomplete";
inline constexpr std::string_view kMessageFailed = "message-failed";
inline constexpr std::string_view kMessageInvalid = "message-invalid";
inline constexpr std::string_view kConsentWithdrawn = "consent-withdrawn";
inline constexpr std::string_view kSuperseded = "superseded";
inline constexpr std::string_view kReprocessed = "reprocessed";
inline constexpr std::string_view kTransientAcknowledgement = "transient-error-acknowledged";
inline constexpr std::string_view kFatalAcknowledgement = "fatal-error-acknowledged";
inline constexpr std::string_view kForeignAcknowledgement = "acknowledgement-of-another-message";
inline constexpr std::string_view kUnknownAcknowledgement = "unknown-acknowledgement";
inline constexpr std::string_view kIntermediaryAnswered = "intermediary-answered";

// what a person's verb leaves behind (gateway/store/operations.h)
inline constexpr std::string_view kParkedByPerson = "parked-by-person";
inline constexpr std::string_view kParkedUnresolved = "parked-unresolved";
inline constexpr std::string_view kCancelledByPerson = "cancelled-by-person";
static_assert(kParkedByPerson == store::kParkedByPerson && kParkedUnresolved == store::kParkedUnresolved &&
              kCancelledByPerson == store::kCancelledByPerson);

// reasons of the delivery core (gateway/queue) that decisions depend on
inline constexpr std::string_view kAmbiguous = "ambiguous-needs-person";
inline constexpr std::string_view kDeadlinePassed = "deadline-passed";
inline constexpr std::string_view kReceiverFailed = "receiver-failed";
inline constexpr std::string_view kReadBackUnclear = "read-back-unclear";
inline constexpr std::string_view kResendLimit = "resend-limit";

}  // namespace lotsen::service::reason
