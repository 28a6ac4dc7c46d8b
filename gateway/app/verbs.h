// The verbs of the command line, one function each: words after the verb in, exit status out (0 fine, 1 the data or the
// check failed, 2 wrong use or unreadable input). Results go to stdout, messages to stderr; nothing partial on stdout
// after a failure.
#pragma once

#include <string>
#include <vector>

namespace lotsen::app {

using Words = std::vector<std::string>;

int serveVerb(const Words& words);
int checkVerb(const Words& words);
int fhirpathVerb(const Words& words);
int transformVerb(const Words& words);
int validateVerb(const Words& words);
int snapshotVerb(const Words& words);
int convertVerb(const Words& words);
int letterVerb(const Words& words);
int reprocessVerb(const Words& words);  // maps tried on what is stored; deliveries made, records understood anew
int resendVerb(const Words& words);
int parkVerb(const Words& words);
int releaseVerb(const Words& words);
int cancelVerb(const Words& words);
int confirmVerb(const Words& words);
int pauseVerb(const Words& words);
int resumeVerb(const Words& words);
int settleVerb(const Words& words);
int partnerVerb(const Words& words);
int mappingVerb(const Words& words);
int benchVerb(const Words& words);

/// Runs the verb named by the first word.
int run(const Words& words);

}  // namespace lotsen::app
