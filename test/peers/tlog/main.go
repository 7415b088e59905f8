// Answers questions about transparency logs with the Go checksum database's own code: one JSON object a line, one answer a line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Op     string   `json:"op"`
	Leaves [][]byte `json:"leaves"`
	First  int64    `json:"first"`
	Second int64    `json:"second"`
	Proof  [][]byte `json:"proof"`
	Roots  [][]byte `json:"roots"`
	Key    string   `json:"key"`
	Text   string   `json:"text"`
	Level  int      `json:"level"`
	Width  int      `json:"width"`
}

type answer struct {
	OK     bool     `json:"ok"`
	Error  string   `json:"error,omitempty"`
	Hashes [][]byte `json:"hashes,omitempty"`
	Text   string   `json:"text,omitempty"`
}

// memory is the store of hashes that a log keeps.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(m)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		hashes[i] = m[index]
	}
	return hashes, nil
}

func storeOf(leaves [][]byte) (memory, error) {
	var store memory
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashes(int64(i), leaf, store)
		if err != nil {
			return nil, err
		}
		store = append(store, hashes...)
	}
	return store, nil
}

func toHashes(list [][]byte) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(list))
	for i, bytes := range list {
		if len(bytes) != tlog.HashSize {
			return nil, fmt.Errorf("hash %d has %d bytes", i, len(bytes))
		}
		copy(hashes[i][:], bytes)
	}
	return hashes, nil
}

func fromHashes(hashes []tlog.Hash) [][]byte {
	list := make([][]byte, len(hashes))
	for i := range hashes {
		list[i] = hashes[i][:]
	}
	return list
}

func run(q question) (answer, error) {
	proof, err := toHashes(q.Proof)
	if err != nil {
		return answer{}, err
	}
	roots, err := toHashes(q.Roots)
	if err != nil {
		return answer{}, err
	}
	switch q.Op {
	case "root":
		store, err := storeOf(q.Leaves)
		if err != nil {
			return answer{}, err
		}
		root, err := tlog.TreeHash(int64(len(q.Leaves)), store)
		return answer{Hashes: fromHashes([]tlog.Hash{root})}, err
	case "include":
		store, err := storeOf(q.Leaves)
		if err != nil {
			return answer{}, err
		}
		path, err := tlog.ProveRecord(q.Second, q.First, store)
		return answer{Hashes: fromHashes(path)}, err
	case "extend":
		store, err := storeOf(q.Leaves)
		if err != nil {
			return answer{}, err
		}
		path, err := tlog.ProveTree(q.Second, q.First, store)
		return answer{Hashes: fromHashes(path)}, err
	case "check-include":
		return answer{}, tlog.CheckRecord(proof, q.Second, roots[0], q.First, roots[1])
	case "check-extend":
		return answer{}, tlog.CheckTree(proof, q.Second, roots[1], q.First, roots[0])
	case "tile":
		store, err := storeOf(q.Leaves)
		if err != nil {
			return answer{}, err
		}
		tile := tlog.Tile{H: 8, L: q.Level, N: q.First, W: q.Width}
		bytes, err := tlog.ReadTileData(tile, store)
		return answer{Text: tile.Path(), Hashes: [][]byte{bytes}}, err
	case "sign":
		signer, err := note.NewSigner(q.Key)
		if err != nil {
			return answer{}, err
		}
		signed, err := note.Sign(&note.Note{Text: q.Text}, signer)
		return answer{Text: string(signed)}, err
	case "open":
		verifier, err := note.NewVerifier(q.Key)
		if err != nil {
			return answer{}, err
		}
		opened, err := note.Open([]byte(q.Text), note.VerifierList(verifier))
		if err != nil {
			return answer{}, err
		}
		return answer{Text: opened.Text}, nil
	}
	return answer{}, fmt.Errorf("no such question")
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		err := json.Unmarshal(lines.Bytes(), &q)
		var a answer
		if err == nil {
			a, err = run(q)
		}
		a.OK = err == nil
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := out.Encode(a); err != nil {
			os.Exit(1)
		}
	}
}
