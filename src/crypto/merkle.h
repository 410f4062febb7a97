// The Merkle tree of the transparency log as pure functions. Source: RFC 9162 section 2.1.
// Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace district::crypto {

// SHA-256(0x00 || entry), section 2.1.1.
Sha256Digest merkle_leaf_hash(ByteView entry);
// SHA-256(0x01 || left || right).
Sha256Digest merkle_node_hash(const Sha256Digest& left, const Sha256Digest& right);

// A tree reduced to what is needed to grow it: the roots of its perfect subtrees, largest first,
// one for each bit set in `size`.
struct MerkleFrontier {
  std::uint64_t size = 0;
  std::vector<Sha256Digest> subtrees;

  void append(const Sha256Digest& leaf_hash);
  // SHA-256 of nothing for the empty tree.
  Sha256Digest root() const;
  // subtrees as one string of octets, and back; nullopt when the length does not fit the size.
  Bytes pack() const;
  static std::optional<MerkleFrontier> unpack(std::uint64_t size, ByteView packed);
};

// Root of a list of leaf hashes, straight from the definition in section 2.1.1.
Sha256Digest merkle_root(std::span<const Sha256Digest> leaf_hashes);

// Audit path of leaf `index`, from the leaf up; section 2.1.3.1. Needs index < leaf_hashes.size().
std::vector<Sha256Digest> inclusion_proof(std::span<const Sha256Digest> leaf_hashes,
                                          std::uint64_t index);
// Section 2.1.3.2.
bool verify_inclusion(const Sha256Digest& leaf_hash, std::uint64_t index, std::uint64_t tree_size,
                      std::span<const Sha256Digest> path, const Sha256Digest& root);

// Proof that the tree of `first_size` leaves is a prefix of the whole; section 2.1.4.1.
// Needs 0 < first_size <= leaf_hashes.size().
std::vector<Sha256Digest> consistency_proof(std::span<const Sha256Digest> leaf_hashes,
                                            std::uint64_t first_size);
// Section 2.1.4.2.
bool verify_consistency(std::uint64_t first_size, const Sha256Digest& first_root,
                        std::uint64_t second_size, const Sha256Digest& second_root,
                        std::span<const Sha256Digest> path);

}  // namespace district::crypto
