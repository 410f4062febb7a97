#include "crypto/merkle.h"

#include <algorithm>
#include <array>
#include <bit>

#include "crypto/digest.h"

namespace district::crypto {
namespace {

constexpr std::array<std::byte, 1> kLeafPrefix{std::byte{0}};
constexpr std::array<std::byte, 1> kNodePrefix{std::byte{1}};

bool odd(std::uint64_t number) { return (number & 1U) != 0; }

// The k of section 2.1.1: the largest power of two smaller than n, for n > 1.
std::size_t split(std::size_t n) { return std::bit_floor(n - 1); }

// SUBPROOF of section 2.1.4.1. `whole`: the verifier has the first tree's root already.
void add_subproof(std::span<const Sha256Digest> leaves, std::size_t first, bool whole,
                  std::vector<Sha256Digest>& proof) {
  if (first == leaves.size()) {
    if (!whole) proof.push_back(merkle_root(leaves));
    return;
  }
  const auto k = split(leaves.size());
  if (first <= k) {
    add_subproof(leaves.first(k), first, whole, proof);
    proof.push_back(merkle_root(leaves.subspan(k)));
    return;
  }
  add_subproof(leaves.subspan(k), first - k, false, proof);
  proof.push_back(merkle_root(leaves.first(k)));
}

}  // namespace

Sha256Digest merkle_leaf_hash(ByteView entry) { return sha256({kLeafPrefix, entry}); }

Sha256Digest merkle_node_hash(const Sha256Digest& left, const Sha256Digest& right) {
  return sha256({kNodePrefix, left, right});
}

void MerkleFrontier::append(const Sha256Digest& leaf_hash) {
  // Like adding one to a binary number: each carry merges two perfect subtrees of the same size.
  auto carried = leaf_hash;
  for (auto rest = size; odd(rest); rest >>= 1U) {
    carried = merkle_node_hash(subtrees.back(), carried);
    subtrees.pop_back();
  }
  subtrees.push_back(carried);
  ++size;
}

Sha256Digest MerkleFrontier::root() const {
  if (subtrees.empty()) return sha256(ByteView{});
  auto root = subtrees.back();
  for (auto left = subtrees.rbegin() + 1; left != subtrees.rend(); ++left) {
    root = merkle_node_hash(*left, root);
  }
  return root;
}

Bytes MerkleFrontier::pack() const {
  Bytes packed;
  packed.reserve(subtrees.size() * sizeof(Sha256Digest));
  for (const auto& subtree : subtrees) packed.insert(packed.end(), subtree.begin(), subtree.end());
  return packed;
}

std::optional<MerkleFrontier> MerkleFrontier::unpack(std::uint64_t size, ByteView packed) {
  const auto count = static_cast<std::size_t>(std::popcount(size));
  if (packed.size() != count * sizeof(Sha256Digest)) return std::nullopt;
  MerkleFrontier frontier;
  frontier.size = size;
  frontier.subtrees.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::ranges::copy(packed.subspan(i * sizeof(Sha256Digest), sizeof(Sha256Digest)),
                      frontier.subtrees[i].begin());
  }
  return frontier;
}

Sha256Digest merkle_root(std::span<const Sha256Digest> leaf_hashes) {
  if (leaf_hashes.empty()) return sha256(ByteView{});
  if (leaf_hashes.size() == 1) return leaf_hashes.front();
  const auto k = split(leaf_hashes.size());
  return merkle_node_hash(merkle_root(leaf_hashes.first(k)), merkle_root(leaf_hashes.subspan(k)));
}

std::vector<Sha256Digest> inclusion_proof(std::span<const Sha256Digest> leaf_hashes,
                                          std::uint64_t index) {
  // Down from the root, keeping the other half of each split; the path is wanted from the leaf up.
  std::vector<Sha256Digest> path;
  auto leaves = leaf_hashes;
  auto position = static_cast<std::size_t>(index);
  while (leaves.size() > 1) {
    const auto k = split(leaves.size());
    const bool left = position < k;
    path.push_back(merkle_root(left ? leaves.subspan(k) : leaves.first(k)));
    leaves = left ? leaves.first(k) : leaves.subspan(k);
    if (!left) position -= k;
  }
  std::ranges::reverse(path);
  return path;
}

bool verify_inclusion(const Sha256Digest& leaf_hash, std::uint64_t index, std::uint64_t tree_size,
                      std::span<const Sha256Digest> path, const Sha256Digest& root) {
  if (index >= tree_size) return false;
  // fn, sn and r as the RFC calls them: the node's number and the last node's at this level.
  auto fn = index;
  auto sn = tree_size - 1;
  auto r = leaf_hash;
  for (const auto& sibling : path) {
    if (sn == 0) return false;
    if (odd(fn) || fn == sn) {
      r = merkle_node_hash(sibling, r);
      while (!odd(fn) && fn != 0) {
        fn >>= 1U;
        sn >>= 1U;
      }
    } else {
      r = merkle_node_hash(r, sibling);
    }
    fn >>= 1U;
    sn >>= 1U;
  }
  return sn == 0 && r == root;
}

std::vector<Sha256Digest> consistency_proof(std::span<const Sha256Digest> leaf_hashes,
                                            std::uint64_t first_size) {
  std::vector<Sha256Digest> proof;
  add_subproof(leaf_hashes, static_cast<std::size_t>(first_size), true, proof);
  return proof;
}

bool verify_consistency(std::uint64_t first_size, const Sha256Digest& first_root,
                        std::uint64_t second_size, const Sha256Digest& second_root,
                        std::span<const Sha256Digest> path) {
  if (first_size == 0 || first_size > second_size) return false;
  if (first_size == second_size) return path.empty() && first_root == second_root;
  // A first tree that is perfect is itself a node of the second one and not repeated in the path.
  const bool perfect = std::has_single_bit(first_size);
  if (!perfect && path.empty()) return false;
  auto fr = perfect ? first_root : path.front();
  auto sr = fr;
  auto fn = first_size - 1;
  auto sn = second_size - 1;
  while (odd(fn)) {
    fn >>= 1U;
    sn >>= 1U;
  }
  for (const auto& node : path.subspan(perfect ? 0 : 1)) {
    if (sn == 0) return false;
    if (odd(fn) || fn == sn) {
      fr = merkle_node_hash(node, fr);
      sr = merkle_node_hash(node, sr);
      while (!odd(fn) && fn != 0) {
        fn >>= 1U;
        sn >>= 1U;
      }
    } else {
      sr = merkle_node_hash(sr, node);
    }
    fn >>= 1U;
    sn >>= 1U;
  }
  return sn == 0 && fr == first_root && sr == second_root;
}

}  // namespace district::crypto
