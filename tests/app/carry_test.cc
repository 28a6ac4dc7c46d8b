// unaccounted = carry: a referral that the mapping does not carry all of goes on, and its record goes along to the
// provider, to nobody else, and never when something of it is held back.
#include "gateway/crypto/base64.h"
#include "gateway/service/legs.h"
#include "world.h"

#include <functional>

namespace lotsen::test {
namespace {

/// The demo's world, whose referral map has lost its rule for `question`, with this policy for what is unaccounted.
class CarryWorld : public World {
 public:
  explicit CarryWorld(service::Channel::Unaccounted policy) {
    auto changed = std::make_shared<service::Configuration>(*current->get());
    auto& channel = changed->channels.at("pas/referral");
    channel.unaccounted = policy;
    std::string& text = channel.maps.front().text;
    const auto rule = text.find("  src.question as");
    text.erase(rule, text.find(';', rule) + 1 - rule);
    fhir::Issues issues;
    auto library = mapping::Library::compile(channel.maps, changed->definitions, issues);
    EXPECT_TRUE(library.ok());
    channel.map = std::make_shared<const mapping::Library>(std::move(*library));
    current->set(changed);
  }

  /// The three records of a case, the referral changed like this before; then everything that follows.
  store::TransferView send(const std::string& name, const std::function<void(std::string&)>& change = {}) {
    referral = record(name, "referral");
    if (change) change(referral);
    const auto reception = submit("referral", referral);
    EXPECT_EQ(reception.verdict, service::Verdict::Accepted);
    submit("consent", record(name, "consent"));
    submit("btf", record(name, "btf"));
    deliver();
    return view(reception.accepted.transfer);
  }

  bool holdsOriginal(store::Role role) const {
    const auto found = bodies.find(role);
    return found != bodies.end() && found->second.find("original-record") != std::string::npos;
  }

  std::string referral;  // as it was sent
};

using Policy = service::Channel::Unaccounted;

TEST(Carry, TheProviderGetsTheRecordAsItCame) {
  CarryWorld world(Policy::Carry);
  const auto transfer = world.send("own-region");
  EXPECT_EQ(transfer.transfer.state, store::TransferState::Completed);
  ASSERT_TRUE(world.holdsOriginal(store::Role::Provider));
  const auto encoded = crypto::base64Encode(world.referral);
  for (const auto& [role, body] : world.bodies) {
    EXPECT_EQ(body.find(encoded) != std::string::npos, role == store::Role::Provider) << store::name(role);
  }
  EXPECT_NE(world.bodies[store::Role::Receipt].find("remissens originalunderlag"), std::string::npos);
}

TEST(Carry, TheMediatorDoesNot) {
  CarryWorld world(Policy::Carry);
  const auto transfer = world.send("other-region");
  ASSERT_TRUE(world.holdsOriginal(store::Role::Provider));
  ASSERT_TRUE(world.bodies.contains(store::Role::Mediator));
  EXPECT_FALSE(world.holdsOriginal(store::Role::Mediator));
}

// A protected identity and what a .drop file holds back: the original would tell it.
TEST(Carry, WhatIsHeldBackStaysBackAndTheRecordIsParked) {
  const auto protect = [](std::string& referral) {
    replaceAll(referral, "\"patient\": {", "\"patient\": {\"protectedIdentity\": \"sekretessmarkering\", ");
  };
  const auto hideAddress = [](std::string& referral) {
    const auto from = referral.find("\"address\": {", referral.find("\"patient\""));
    ASSERT_NE(from, std::string::npos);
    referral.erase(from, referral.find("},", from) + 2 - from);
  };
  const auto parkedFor = [](const std::string& why, const auto& change) {
    CarryWorld world(Policy::Carry);
    const auto transfer = world.send("own-region", change);
    EXPECT_EQ(transfer.transfer.state, store::TransferState::Parked);
    ASSERT_FALSE(transfer.records.empty());
    EXPECT_EQ(transfer.records.front().state, store::RecordState::Parked);
    EXPECT_EQ(transfer.records.front().reason, "source-unaccounted");
    EXPECT_NE(transfer.records.front().issues.find(why), std::string::npos) << transfer.records.front().issues;
    EXPECT_TRUE(world.bodies.empty());
  };
  parkedFor("the .drop file holds parts of it back", protect);
  parkedFor("identity is protected", [&](std::string& referral) {
    protect(referral);
    hideAddress(referral);
  });
}

// Whatever the out-maps say: the leg that they are made of does not hold it.
TEST(Carry, OnlyTheProvidersLegHoldsIt) {
  World world;
  store::Record record;
  record.mediaType = "application/json";
  record.body = "{}";
  service::Leg leg;
  leg.original = &record;
  leg.messageId = "01000015-1111-4111-8111-000000000015";
  for (const auto role :
       {transfer::Role::Provider, transfer::Role::Mediator, transfer::Role::Recall, transfer::Role::Pas,
        transfer::Role::Receipt, transfer::Role::PatientLetter, transfer::Role::ClinicianLetter}) {
    leg.plan.role = role;
    fhir::Issues issues;
    const auto document = service::legRecord(*world.current->get(), leg, issues);
    ASSERT_TRUE(document.ok());
    EXPECT_EQ(fhir::child(*document, document->root(), "original") != nullptr, role == transfer::Role::Provider)
        << transfer::name(role);
  }
}

TEST(Carry, WarnLetsItGoWithoutAndRefuseParksIt) {
  CarryWorld warning(Policy::Warn);
  EXPECT_EQ(warning.send("own-region").transfer.state, store::TransferState::Completed);
  EXPECT_FALSE(warning.holdsOriginal(store::Role::Provider));
  CarryWorld refusing(Policy::Refuse);
  EXPECT_EQ(refusing.send("own-region").records.front().reason, "source-unaccounted");
}

TEST(Carry, NothingGoesAlongWithARecordThatIsAllMapped) {
  World world;
  world.submit("referral", world.record("own-region", "referral"));
  world.submit("consent", world.record("own-region", "consent"));
  world.submit("btf", world.record("own-region", "btf"));
  world.deliver();
  ASSERT_TRUE(world.bodies.contains(store::Role::Provider));
  EXPECT_EQ(world.bodies[store::Role::Provider].find("original-record"), std::string::npos);
}

}  // namespace
}  // namespace lotsen::test
