#include "gateway/definitions/package.h"

#include "gateway/base/text.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <vector>

namespace lotsen::definitions {

namespace {

namespace fs = std::filesystem;
using Visit = std::function<void(const std::string& name, const std::string& bytes)>;

constexpr std::size_t kBlock = 512;  // tar works in blocks

Error broken(const std::string& path, const std::string& what) {
  return fail(Code::Invalid, path + ": " + what);
}

/// The octal number in a tar header field, or -1.
std::int64_t octal(std::string_view field) {
  std::int64_t value = 0;
  bool any = false;
  for (const char c : field) {
    if (c == '\0' || c == ' ') {
      if (any) break;
      continue;
    }
    if (c < '0' || c > '7') return -1;
    value = value * 8 + (c - '0');
    any = true;
  }
  return any ? value : -1;
}

std::string_view field(const std::array<char, kBlock>& header, std::size_t at, std::size_t size) {
  const std::string_view whole(header.data() + at, size);
  return whole.substr(0, whole.find('\0'));
}

class TarGz {
 public:
  explicit TarGz(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb"), &gzclose) {}

  Status forEach(const Visit& visit) {
    if (!file_) return fail(Code::NotFound, path_ + ": cannot be opened");
    std::array<char, kBlock> header{};
    std::size_t total = 0;
    while (read(header.data(), kBlock)) {
      if (std::all_of(header.begin(), header.end(), [](char c) { return c == 0; })) return done();  // end of archive
      const std::int64_t size = octal({header.data() + 124, 12});
      if (size < 0 || static_cast<std::size_t>(size) > kLargestFile)
        return broken(path_, "not a tar archive, or a file in it is too large");
      total += static_cast<std::size_t>(size);
      if (total > kLargestPackage) return broken(path_, "unpacks to more than a package may hold");
      std::string bytes(static_cast<std::size_t>(size), '\0');
      std::array<char, kBlock> padding{};
      if (!read(bytes.data(), bytes.size()) || !read(padding.data(), (kBlock - bytes.size() % kBlock) % kBlock)) {
        return broken(path_, "the archive is cut off");
      }
      const std::string name(field(header, 0, 100));
      const bool regular = header[156] == '0' || header[156] == '\0';
      if (regular && name.ends_with(".json")) visit(path_ + "/" + name, bytes);
    }
    return broken(path_, "the archive is cut off or not a gzip file");
  }

 private:
  bool read(char* to, std::size_t size) {
    return size == 0 || gzread(file_.get(), to, static_cast<unsigned>(size)) == static_cast<int>(size);
  }

  std::string path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
};

Status visitFile(const std::string& path, const Visit& visit) {
  std::string bytes;
  if (!readFile(path, bytes)) return fail(Code::NotFound, path + ": cannot be read");
  visit(path, bytes);
  return done();
}

}  // namespace

Status forEachJson(const std::string& path, const Visit& visit) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    std::vector<std::string> files;
    for (auto at = fs::recursive_directory_iterator(path, error); !error && at != fs::recursive_directory_iterator();
         at.increment(error)) {
      if (at->path().extension() == ".json" && at->is_regular_file(error)) files.push_back(at->path().string());
    }
    if (error) return fail(Code::NotFound, path + ": cannot be listed");
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) LOTSEN_TRY_DO(visitFile(file, visit));
    return done();
  }
  if (path.ends_with(".tgz") || path.ends_with(".tar.gz")) return TarGz(path).forEach(visit);
  return visitFile(path, visit);
}

}  // namespace lotsen::definitions
