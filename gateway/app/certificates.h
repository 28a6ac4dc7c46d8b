// The certificates of the configuration: reads the keys of [listen], [partner] and [operator] that name them, and tells
// which of them will expire. The files are read once, here; what is in force is what was checked. Used by loader.cc,
// `check`, `serve` and the metrics. Thread rule: one thread. Failure rule: faults with file and line.
#pragma once

#include "gateway/app/loader.h"

#include <functional>
#include <string>
#include <vector>

namespace lotsen::app {

/// From a path in the configuration to one that can be opened.
using Resolve = std::function<std::string(const std::string&)>;

/// certificate_file, key_file, client_certificate, client_ca_file, min_tls of [listen]; a fault if `address` can be
/// reached from other machines and there is no certificate.
void readListenTls(Section& listen, const Resolve& resolve, Settings& settings, Faults& faults);

/// client_certificate of a partner or operator. REQUIRES: [listen] has been read.
void readClientCertificates(Section& section, identity::Permissions permissions, Settings& settings, Faults& faults);

/// ca_file, send_certificate_file, send_key_file and min_tls of a partner with delivery = http.
/// False: there was a fault.
bool readPartnerTls(Section& partner, const Resolve& resolve, outbound::Endpoint& endpoint, Settings& settings,
                    Faults& faults);

struct Expiry {
  bool valid = true;  // now
  std::string file, text;
};
/// What is not valid at `now`, or will not be in 30 days.
std::vector<Expiry> expiries(const Settings& settings, Instant now);

/// A certificate of ours that is not valid at `now` and was not there before: nobody wants to change over to it.
Status checkReplaced(const Settings& before, const Settings& after, Instant now);

}  // namespace lotsen::app
