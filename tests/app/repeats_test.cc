// A partner sends a message again: the four cases of the matrix by its personality, what counts as the same content,
// and what a repeat hears when the gateway would not take the message today. The receptionist as it is, on the memory
// store; many senders at once are in tests/store and tests/e2e.
#include "tests/queue/hooked_store.h"
#include "world.h"

namespace lotsen::test {
namespace {

using service::Reception;
using service::Verdict;
using store::Novelty;

std::string uuid(unsigned number) {
  char text[40];
  std::snprintf(text, sizeof text, "0100001a-1111-4111-8111-%012u", number);
  return text;
}

struct Parts {
  unsigned message = 1, envelope = 101;
  std::string time = "2026-03-02T08:14:07Z", recorded = "2026-03-02T08:14:07Z", code = "EKG", focus = "2";
};

/// A message of the provider, with a Provenance of its MessageHeader.
std::string message(const World& world, const Parts& parts) {
  const auto entry = [](const std::string& id, const std::string& resource) {
    return R"({"fullUrl": "urn:uuid:)" + id + R"(", "resource": )" + resource + "}";
  };
  const std::string header = uuid(parts.message), order = uuid(2), patient = uuid(3), origin = uuid(4);
  return R"({"resourceType": "Bundle", "id": ")" + uuid(parts.envelope) + R"(", "type": "message", "timestamp": ")" +
         parts.time + R"(", "entry": [)" +
         entry(header, R"({"resourceType": "MessageHeader", "id": ")" + header +
                           R"(", "eventCoding": {"system": "http://example.org/events", "code": "referral"},
      "destination": [{"endpoint": "urn:nobody"}], "source": {"endpoint": ")" +
                           world.current->get()->partner("provider")->contact.endpoint +
                           R"("}, "focus": [{"reference": "urn:uuid:)" + order + R"("}]})") +
         "," +
         entry(order, R"({"resourceType": "ServiceRequest", "id": ")" + order +
                          R"(", "status": "active", "intent": "order", "code": {"text": ")" + parts.code +
                          R"("}, "subject": {"reference": "urn:uuid:)" + patient + R"("}})") +
         "," + entry(patient, R"({"resourceType": "Patient", "id": ")" + patient + R"("})") + "," +
         entry(origin, R"({"resourceType": "Provenance", "id": ")" + origin +
                           R"(", "target": [{"reference": "urn:uuid:)" + header + R"("}], "recorded": ")" +
                           parts.recorded + R"(", "occurredDateTime": ")" + parts.recorded +
                           R"(", "agent": [{"who": {"display": "we"}}]})") +
         "]}";
}

class Repeated : public World {
 public:
  explicit Repeated(const std::string& lines = {})
      : World([&](std::string& text, const std::string&) {
          replaceAll(text, "[partner provider]\n", "[partner provider]\n" + lines);
        }) {}

  Reception send(const Parts& parts) { return sendMessage("provider", message(*this, parts), uuid(8), uuid(9)); }
  std::size_t records() { return static_cast<std::size_t>(store.counts()->records); }
};

std::string ruleOf(const Reception& reception) {
  return reception.issues.list().empty() ? std::string() : reception.issues.list()[0].rule;
}

std::string without(std::string text, const std::string& part) {
  const auto at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return at == std::string::npos ? text : text.erase(at, part.size());
}

/// The text of the first member of that name.
std::string memberOf(const std::string& json, const std::string& name) {
  const auto at = json.find("\"" + name + "\":\"") + name.size() + 4;
  return json.substr(at, json.find('"', at) - at);
}

TEST(Repeats, FourCasesWithReplay) {
  Repeated world;
  const Reception first = world.send({});
  ASSERT_EQ(first.verdict, Verdict::Accepted) << ruleOf(first);
  EXPECT_EQ(first.accepted.answerStatus, 200);
  world.clock.advance(std::chrono::minutes(5));

  const Reception same = world.send({});
  EXPECT_EQ(same.accepted.novelty, Novelty::Repeat);
  EXPECT_EQ(same.accepted.answerBody, first.accepted.answerBody) << "byte for byte";

  Parts resent;
  resent.envelope = 102;
  resent.time = "2026-03-02T08:44:07Z";
  const Reception again = world.send(resent);
  ASSERT_EQ(again.verdict, Verdict::Accepted) << ruleOf(again);
  EXPECT_EQ(again.accepted.novelty, Novelty::Resent);
  const std::string &was = first.accepted.answerBody, &is = again.accepted.answerBody;
  EXPECT_NE(memberOf(is, "id"), memberOf(was, "id"));
  EXPECT_EQ(memberOf(is, "timestamp"), formatInstant(world.clock.now()));
  EXPECT_EQ(without(without(is, memberOf(is, "id")), memberOf(is, "timestamp")),
            without(without(was, memberOf(was, "id")), memberOf(was, "timestamp")))
      << "nothing but envelope id and time";

  Parts stolen;
  stolen.message = 11;
  const Reception refused = world.send(stolen);
  EXPECT_EQ(refused.verdict, Verdict::Conflict);
  EXPECT_EQ(ruleOf(refused), "envelope-reused");
  EXPECT_EQ(refused.accepted.novelty, Novelty::EnvelopeReused);
  EXPECT_EQ(world.records(), 1u);
}

TEST(Repeats, FourCasesWithConflict) {
  Repeated world("duplicate = conflict\n");
  ASSERT_EQ(world.send({}).verdict, Verdict::Accepted);
  Parts resent;
  resent.envelope = 102;
  for (const Parts& parts : {Parts{}, resent, resent}) {
    const Reception again = world.send(parts);
    EXPECT_EQ(again.verdict, Verdict::Duplicate);
    ASSERT_EQ(again.issues.list().size(), 1u);
    EXPECT_EQ(again.issues.list()[0].code, "duplicate");
  }
  Parts stolen;
  stolen.message = 11;
  const Reception refused = world.send(stolen);
  EXPECT_EQ(refused.verdict, Verdict::Conflict);
  EXPECT_EQ(refused.issues.list()[0].code, "conflict") << "never the pair that means: we have it";
  EXPECT_EQ(world.records(), 1u);
}

TEST(Repeats, OtherContentUnderAnIdIsRefusedAndToldInTheAudit) {
  for (const char* lines : {"", "duplicate = conflict\n"}) {
    Repeated world(lines);
    ASSERT_EQ(world.send({}).verdict, Verdict::Accepted);
    Parts changed;
    changed.code = "MR";
    changed.envelope = 102;
    const Reception refused = world.send(changed);
    EXPECT_EQ(refused.verdict, Verdict::Conflict);
    EXPECT_EQ(ruleOf(refused), "key-reused");
    EXPECT_EQ(refused.issues.list()[0].code, "conflict");
    EXPECT_EQ(world.records(), 1u);
    EXPECT_TRUE(world.store.verifyAudit().ok());
  }
}

// MedCom: the time of sending stands in the newest Provenance too.
TEST(Repeats, TheTimeOfSendingIsNoContentWhereTheSpecificationSaysSo) {
  Parts resent;
  resent.envelope = 102;
  resent.time = resent.recorded = "2026-03-02T08:44:07Z";
  Repeated medcom("personality = medcom\n"), fhir;
  for (Repeated* world : {&medcom, &fhir}) ASSERT_EQ(world->send({}).verdict, Verdict::Accepted);
  EXPECT_EQ(medcom.send(resent).accepted.novelty, Novelty::Resent);
  EXPECT_EQ(fhir.send(resent).accepted.novelty, Novelty::KeyReused);
  resent.code = "MR";
  EXPECT_EQ(medcom.send(resent).accepted.novelty, Novelty::KeyReused) << "all else is content";
}

// Never positive and then negative: the rules have become stricter meanwhile.
TEST(Repeats, WhatWasTakenStaysTakenWhenTheRulesChange) {
  for (const bool conflict : {false, true}) {
    Repeated world(conflict ? "duplicate = conflict\n" : "");
    const Reception first = world.send({});
    ASSERT_EQ(first.verdict, Verdict::Accepted);
    auto stricter = std::make_shared<service::Configuration>(*world.current->get());
    stricter->partners["provider"].personality.focus = "Appointment";
    world.current->set(stricter);
    Parts other;
    other.message = 11;
    other.envelope = 111;
    EXPECT_EQ(world.send(other).verdict, Verdict::Refused) << "what is new is judged by today's rules";
    const Reception again = world.send({});
    EXPECT_EQ(again.verdict, conflict ? Verdict::Duplicate : Verdict::Accepted);
    if (!conflict) { EXPECT_EQ(again.accepted.answerBody, first.accepted.answerBody); }
    Parts changed;
    changed.code = "MR";
    EXPECT_EQ(world.send(changed).verdict, Verdict::Refused);
  }
}

TEST(Repeats, RecordsGetTheirAnswerWhateverThePersonality) {
  World world([](std::string& text, const std::string&) {
    replaceAll(text, "[partner pas]\n", "[partner pas]\nduplicate = conflict\n");
  });
  const auto body = world.record("own-region", "referral");
  const auto first = world.submit("referral", body, "key-1");
  const auto again = world.submit("referral", body, "key-1");
  EXPECT_EQ(again.verdict, Verdict::Accepted);
  EXPECT_EQ(again.accepted.answerBody, first.accepted.answerBody);
}

TEST(Repeats, IdsAreDemandedWhereTheSpecificationDoes) {
  Repeated world("demands_ids = yes\n");
  const std::string body = message(world, {});
  for (const auto& [request, correlation] :
       {std::pair<std::string, std::string>{"", uuid(9)}, {uuid(8), ""}, {"1", uuid(9)}, {uuid(8), "x"}}) {
    const auto refused = world.sendMessage("provider", body, request, correlation);
    EXPECT_EQ(refused.verdict, Verdict::Malformed) << request << " " << correlation;
    EXPECT_EQ(ruleOf(refused), "request-ids");
  }
  EXPECT_EQ(world.send({}).verdict, Verdict::Accepted);
}

TEST(Repeats, TheFocusIsCheckedWhereTheSpecificationFixesIt) {
  Repeated task("personality = bser\n"), request("focus = ServiceRequest\n");
  const Reception refused = task.send({});
  EXPECT_EQ(refused.verdict, Verdict::Refused);
  EXPECT_EQ(ruleOf(refused), "focus");
  EXPECT_EQ(request.send({}).verdict, Verdict::Accepted);
}

TEST(Repeats, AMessageOverThePartnersLimitIsRefusedUnread) {
  Repeated world("message_limit_mb = 1\n");
  const Reception refused = world.sendMessage("provider", std::string((std::size_t{1} << 20) + 1, ' '));
  EXPECT_EQ(refused.verdict, Verdict::TooLarge);
  EXPECT_EQ(ruleOf(refused), "message-size");
}

TEST(Repeats, AnAcknowledgementWithAnUnknownCodeIsNoNewMessage) {
  Repeated world("validate_in = off\n");
  std::string body = message(world, {});
  replaceAll(body, R"("focus": [)", R"("response": {"identifier": ")" + uuid(77) + R"(", "code": "AX"}, "focus": [)");
  const auto taken = world.sendMessage("provider", body);
  ASSERT_EQ(taken.verdict, Verdict::Accepted) << ruleOf(taken);
  EXPECT_TRUE(taken.isAcknowledgement && taken.isUnknownCode);
  EXPECT_EQ(taken.accepted.acknowledgement, store::AckResult::Unknown);
  EXPECT_TRUE(world.store.transfers({})->empty());
}

// Nobody hears that a message was taken when the store could not say so; a repeat afterwards is the judge.
TEST(Repeats, WithoutACommitThereIsNoSuccess) {
  Repeated world;
  HookedStore hooked(world.store);
  service::Receptionist receptionist(
      hooked, world.clock, world.random, [] { ADD_FAILURE() << "nothing is there to work on"; },
      [](const service::Judgement&) {});
  const identity::Principal principal{"provider", {identity::Permission::Message}};
  const std::string body = message(world, {});
  const auto send = [&] {
    return receptionist.message(*world.current->get(), {&principal, {}, "application/fhir+json", {}, body}).verdict;
  };
  for (const Code code : {Code::Busy, Code::Unavailable}) {
    hooked.before = [&](std::string_view verb) -> Status {
      return verb == "accept" ? Status(fail(code, "full")) : done();
    };
    EXPECT_EQ(send(), Verdict::Unavailable);
  }
  EXPECT_EQ(world.records(), 0u);
  hooked.before = {};
  hooked.after = [](std::string_view verb) -> Status {
    return verb == "accept" ? Status(fail(Code::Ambiguous, "who knows")) : done();
  };
  EXPECT_EQ(send(), Verdict::Unavailable);
  EXPECT_EQ(world.records(), 1u) << "it was committed, and nobody knew";
  EXPECT_EQ(world.send({}).accepted.novelty, Novelty::Repeat);
}

}  // namespace
}  // namespace lotsen::test
