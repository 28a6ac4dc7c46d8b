// The main job in one process and without a clock, a socket or a disk: the demo's configuration and records, the memory
// store, receptionist and thinker as they are, and a delivery step that the test scripts. Everything is deterministic.
#pragma once

#include "gateway/app/loader.h"
#include "gateway/base/text.h"
#include "gateway/service/reception.h"
#include "gateway/service/worker.h"
#include "gateway/store/memory/memory_store.h"
#include "gateway/sweden/civil_time.h"
#include "tests/support/fake_clock.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>

namespace lotsen::test {

inline void replaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// The demo's configuration with this folder in its paths.
inline std::string demoConfiguration(const std::string& folder) {
  std::string text = fileText(std::string(LOTSEN_SOURCE_DIR) + "/ops/demo/gateway.conf.in");
  replaceAll(text, "@ROOT@", LOTSEN_SOURCE_DIR);
  replaceAll(text, "@OUT@", folder);
  replaceAll(text, "@PORT@", "0");
  replaceAll(text, "@PORT_FILE@", folder + "/port");
  for (auto at = text.find("_URL@"); at != std::string::npos; at = text.find("_URL@")) {
    const auto start = text.rfind('@', at);
    text.replace(start, at + 5 - start, "http://127.0.0.1:9/" + text.substr(start + 1, at - start - 1));
  }
  return text;
}

class World {
 public:
  /// `change`: what is different from the demo's configuration, given its text and the world's folder.
  explicit World(const std::function<void(std::string&, const std::string&)>& change = {}) : random(7) {
    const std::string path = folder.path() + "/gateway.conf";
    std::string text = demoConfiguration(folder.path());
    if (change) change(text, folder.path());
    std::ofstream(path) << text;
    app::Faults faults;
    auto loaded = app::load(path, faults);
    for (const auto& fault : faults.list) ADD_FAILURE() << fault.file << ":" << fault.line << ": " << fault.text;
    if (!loaded) return;
    current = std::make_unique<service::Current>(loaded->configuration);
    owner = *store.openNode("test", clock.now());
    const auto count = [this](const service::Judgement& judgement) { validated.count(judgement); };
    receptionist = std::make_unique<service::Receptionist>(
        store, clock, random, [] {}, count);
    auto fonts = letter::Fonts::open(loaded->configuration->fontDirectories);
    EXPECT_TRUE(fonts.ok());
    worker = std::make_unique<service::Worker>(
        store, *current, clock, service::Thinker(clock, random, std::move(*fonts), count), owner,
        service::WorkerHooks{[] {}, [](const Error& error) { ADD_FAILURE() << error.message; }, [](const Error&) {}});
  }

  /// A record of the demo ("own-region", "consent"), its dates relative to the fake clock's day.
  std::string record(const std::string& name, const std::string& kind) {
    std::string text = fileText(std::string(LOTSEN_SOURCE_DIR) + "/ops/demo/records/" + name + "/" + kind + ".json");
    const auto today = sweden::civilDate(clock.now());
    for (auto at = text.find("@today"); at != std::string::npos; at = text.find("@today", at)) {
      const auto end = text.find('@', at + 1);
      const auto days = std::atoi(text.substr(at + 6, end - at - 6).c_str());
      text.replace(at, end - at + 1, sweden::formatCivilDate(sweden::addDays(today, days)));
    }
    return text;
  }

  service::Reception submit(const std::string& kind, std::string body, const std::string& key = "") {
    const identity::Principal pas{"pas", {identity::Permission::Intake}};
    return receptionist->record(*current->get(), {&pas, "pas/" + kind, "application/json", key, std::move(body)});
  }

  service::Reception sendMessage(const std::string& partner, std::string bundle, const std::string& requestId = "",
                                 const std::string& correlationId = "") {
    const identity::Principal principal{partner, {identity::Permission::Message}};
    return receptionist->message(
        *current->get(), {&principal, {}, "application/fhir+json", requestId, std::move(bundle), correlationId});
  }

  void think() {
    for (auto worked = worker->round(); worked.ok() && *worked > 0; worked = worker->round()) {}
  }

  /// Claims and finishes whatever is due, until nothing is; `outcome` says how each delivery ends (Done if it says
  /// nothing).
  void deliver(const std::map<store::Role, store::DeliveryState>& outcome = {}) {
    for (bool again = true; again;) {
      again = false;
      think();
      std::optional<Instant> next;
      const auto endpoints = store.dueEndpoints(clock.now(), next);
      ASSERT_TRUE(endpoints.ok());
      for (const auto& endpoint : *endpoints) {
        const auto claimed = store.claim(owner, endpoint, 8, clock.now(), clock.now() + std::chrono::minutes(1));
        ASSERT_TRUE(claimed.ok());
        for (const auto& each : *claimed) {
          const auto sending = store.startSending({{each.delivery.id, each.delivery.token}}, clock.now());
          ASSERT_TRUE(sending.ok());
          if (sending->empty()) continue;
          again = true;
          bodies[each.delivery.role] = each.delivery.body;
          sent.push_back(each.delivery);
          store::AttemptEnd end;
          end.delivery = each.delivery.id;
          end.token = each.delivery.token;
          const auto wanted = outcome.find(each.delivery.role);
          end.to = wanted == outcome.end() ? store::DeliveryState::Done : wanted->second;
          end.outcome = "test";
          ASSERT_TRUE(store.finish({end}, clock.now()).ok());
        }
      }
    }
  }

  store::TransferView view(const store::Id& transfer) {
    auto found = store.transfer(transfer);
    EXPECT_TRUE(found.ok());
    return found.ok() ? std::move(*found) : store::TransferView{};
  }

  /// The three records of a demo case, and the thought that follows; the transfer.
  store::Id submitAll(const std::string& name = "own-region") {
    store::Id transfer;
    for (const char* kind : {"referral", "consent", "btf"})
      transfer = submit(kind, record(name, kind)).accepted.transfer;
    think();
    return transfer;
  }
  /// The leg of this role that is not cancelled.
  store::Delivery leg(const store::Id& transfer, store::Role role) {
    for (const auto& each : view(transfer).deliveries) {
      if (each.role == role && each.state != store::DeliveryState::Cancelled) return each;
    }
    ADD_FAILURE() << "no leg " << store::name(role);
    return {};
  }

  TempDir folder;
  FakeClock clock;
  SeededRandom random;
  store::MemoryStore store;
  observe::Metrics metrics;
  service::ValidationCounts validated{metrics};
  store::Owner owner;
  std::unique_ptr<service::Current> current;
  std::unique_ptr<service::Receptionist> receptionist;
  std::unique_ptr<service::Worker> worker;
  std::map<store::Role, std::string> bodies;
  std::vector<store::Delivery> sent;
};

}  // namespace lotsen::test
