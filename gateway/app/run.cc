#include "gateway/app/arguments.h"
#include "gateway/app/verbs.h"
#include "gateway/base/text.h"

#include <iostream>

namespace lotsen::app {

namespace {

struct Verb {
  std::string_view name, summary;
  int (*run)(const Words&);
};

constexpr Verb kVerbs[] = {
    {"serve", "run the gateway", serveVerb},
    {"check", "lint configuration, mappings, templates, partners and certificates", checkVerb},
    {"fhirpath", "evaluate a FHIRPath expression", fhirpathVerb},
    {"transform", "run a mapping on a source record", transformVerb},
    {"mapping", "test the mappings with their golden cases", mappingVerb},
    {"validate", "check FHIR resources", validateVerb},
    {"snapshot", "make the snapshot of a profile", snapshotVerb},
    {"convert", "rewrite a resource in another FHIR format", convertVerb},
    {"letter", "render a letter", letterVerb},
    {"partner", "what an answer of a partner would lead to", partnerVerb},
    {"reprocess", "what other maps would make of the stored records", reprocessVerb},
    {"resend", "send parked deliveries again", resendVerb},
    {"park", "stop deliveries until somebody releases them", parkVerb},
    {"release", "let go on what a person has parked", releaseVerb},
    {"cancel", "end deliveries that the receiver does not have", cancelVerb},
    {"confirm", "say that the receiver has a delivery", confirmVerb},
    {"pause", "stop an endpoint", pauseVerb},
    {"resume", "let a paused endpoint go on", resumeVerb},
    {"settle", "say that a receiver needs nothing of a later change", settleVerb},
    {"bench", "measure, one JSON line", benchVerb},
};

void printHelp(std::ostream& out) {
  out << "usage: lotsen VERB …\n\nAn HL7 FHIR R4 gateway for referrals, consent and payment commitments.\n\n";
  for (const auto& verb : kVerbs) {
    std::string left = "  " + std::string(verb.name);
    left.resize(14, ' ');
    out << left << verb.summary << '\n';
  }
  out << "\nlotsen VERB --help tells more. Exit status: 0 fine, 1 the data or the check failed, 2 wrong use or "
         "unreadable input.\n";
}

}  // namespace

int run(const Words& words) {
  if (words.empty()) {
    printHelp(std::cerr);
    return kWrongUse;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    printHelp(std::cout);
    return kFine;
  }
  std::vector<std::string_view> names;
  for (const auto& verb : kVerbs) {
    if (verb.name == words[0]) return verb.run(Words(words.begin() + 1, words.end()));
    names.push_back(verb.name);
  }
  const auto near = nearest(words[0], names);
  std::cerr << "lotsen: unknown verb " << words[0] << (near.empty() ? "" : ", did you mean " + std::string(near) + "?")
            << "; see lotsen --help\n";
  return kWrongUse;
}

}  // namespace lotsen::app
