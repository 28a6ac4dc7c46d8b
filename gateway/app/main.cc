#include "gateway/app/arguments.h"
#include "gateway/app/verbs.h"

#include <exception>
#include <iostream>

int main(int argc, char** argv) {
  try {
    return lotsen::app::run({argv + 1, argv + argc});
  } catch (const std::exception& failure) {  // memory; everything else is a Result
    std::cerr << "lotsen: " << failure.what() << '\n';
    return lotsen::app::kWrongUse;
  }
}
