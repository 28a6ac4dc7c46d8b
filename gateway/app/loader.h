// From the configuration files to what the gateway runs with: `serve`, `check` and the benches call it. Reads the main
// file, the
// *.conf files of the folders it names, mappings/*/channels.conf and legs.conf, compiles maps and templates, reads the
// Schema. docs/configuration.md describes every key. Thread rule: one thread. Failure rule: all faults at once, with
// file and line; nothing is half loaded.
#pragma once

#include "gateway/app/sections.h"
#include "gateway/crypto/tls.h"
#include "gateway/identity/credentials.h"
#include "gateway/outbound/endpoint.h"
#include "gateway/queue/core.h"
#include "gateway/service/configuration.h"
#include "gateway/service/retention.h"

#include <optional>

namespace lotsen::app {

/// The certificate of one file that expires first.
struct UsedCertificate {
  std::string file;
  std::string use;  // what it is for, as metrics say it: "listen", "client-ca", "partner" (shown to it), "partner-ca"
  std::string partner;  // of the last two
  crypto::Certificate certificate;
};

struct Settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::shared_ptr<const crypto::TlsServer> tls;  // null: plain
  std::string portFile;                          // written once the listener is open; empty: none
  std::string dataFolder;
  std::size_t bodyLimit = 20u << 20;
  std::size_t maxConnections = 256;
  std::size_t workers = 1;
  service::KeepFor keepFor;
  std::vector<identity::TokenSource> tokens;
  bool clientCertificatesAsked = false;
  std::vector<identity::CertificateSource> clientCertificates;
  std::vector<UsedCertificate> certificates;  // all of them, for check and metrics
  std::vector<outbound::Endpoint> endpoints;
  std::vector<queue::Endpoint> lanes;  // the delivery core's view of the same endpoints
};

struct Loaded {
  Settings settings;
  std::shared_ptr<const service::Configuration> configuration;
};

std::optional<Loaded> load(const std::string& file, Faults& faults);

}  // namespace lotsen::app
