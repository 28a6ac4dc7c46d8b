// From the configuration files to what the gateway runs with: `serve`, `check` and the benches call it. Reads the main
// file, the
// *.conf files of the folders it names, mappings/*/channels.conf and legs.conf, compiles maps and templates, reads the
// Schema. docs/configuration.md describes every key. Thread rule: one thread. Failure rule: all faults at once, with
// file and line; nothing is half loaded.
#pragma once

#include "gateway/app/sections.h"
#include "gateway/identity/tokens.h"
#include "gateway/outbound/endpoint.h"
#include "gateway/queue/core.h"
#include "gateway/service/configuration.h"

#include <optional>

namespace lotsen::app {

struct Settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string portFile;  // written once the listener is open; empty: none
  std::string dataFolder;
  std::size_t bodyLimit = 20u << 20;
  std::size_t maxConnections = 256;
  std::size_t workers = 1;
  std::vector<identity::TokenSource> tokens;
  std::vector<outbound::Endpoint> endpoints;
  std::vector<queue::Endpoint> lanes;  // the delivery core's view of the same endpoints
};

struct Loaded {
  Settings settings;
  std::shared_ptr<const service::Configuration> configuration;
};

std::optional<Loaded> load(const std::string& file, Faults& faults);

}  // namespace lotsen::app
