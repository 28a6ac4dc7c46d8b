// The golden cases of maps: folders of records and what they become. Used by: the verb `mapping test`, which the tests
// of the house run over fixtures/, and integration engineers over folders of their own.
//
//     DIR/…/<flow>/flow                          [flow] map = … (entry map first), shared, package, facts, lossless …
//     DIR/…/<flow>/<case>/input.json             the source record, or input.xml
//     DIR/…/<flow>/<case>/expected.json          what it becomes
//     DIR/…/<flow>/<case>/expected.issues.json   what is said about it; a case named invalid-… must be refused
//
// Paths in a flow start from its folder. `shared` names further maps that others answer for: what their rules do is not
// asked of these cases. `"@flow/case@"` in an input stands for what that case is expected to become.
// Besides the cases the report tells what they reach: rules that fired, fields of the source models that a record had,
// drops that were needed, constructs of the language that the maps use.
//
// Thread rule: one thread. Failure rule: faults of flow files and maps are Faults; a case that fails is in the report.
#pragma once

#include "gateway/app/sections.h"
#include "gateway/mapping/coverage.h"

#include <string>
#include <vector>

namespace lotsen::app {

struct GoldenCase {
  std::string name;                 // "pas-referral/full"
  std::vector<std::string> faults;  // empty: it passed
  bool accepted = false;            // what is expected was written anew
};

/// Something that cases ought to reach, and what they did not.
struct Reach {
  std::size_t all = 0;
  std::vector<std::string> missed;
};

struct GoldenReport {
  std::vector<GoldenCase> cases;
  std::size_t mapped = 0, dropped = 0, unaccounted = 0;  // leaves of cases that passed, in lossless flows
  Reach rules;                                           // "mappings/pas/btf.map:12:3 'period' of group Btf"
  Reach fields;                                          // "PasReferral.patient.phone"
  Reach drops;                                           // "mappings/pas/referral.drop:3 PasReferral.patient.address"
  mapping::GrammarCoverage grammar;

  std::size_t failed() const;
};

/// Runs every flow below `folder`. `accept`: what differs from its expectation becomes the expectation.
GoldenReport runGolden(const std::string& folder, bool accept, Faults& faults);

}  // namespace lotsen::app
