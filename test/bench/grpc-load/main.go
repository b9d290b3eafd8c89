// grpc-load drives one operation of a REAPI cache server at a given concurrency for a given time and prints one JSON line:
// {"op":…,"operations":…,"seconds":…,"bytes":…,"errors":…}. The caller measures the server's CPU time meanwhile.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"sync/atomic"
	"time"

	repb "github.com/buchgr/bazel-remote/v2/genproto/build/bazel/remote/execution/v2"
	bs "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

var (
	addr        = flag.String("addr", "127.0.0.1:9092", "host:port of the server")
	op          = flag.String("op", "capabilities", "capabilities|find|batch-update|batch-read|write|read|action-hit|action-miss|action-update")
	size        = flag.Int("size", 4096, "bytes of a blob")
	count       = flag.Int("count", 100, "digests or blobs of one request")
	concurrency = flag.Int("concurrency", 8, "requests at once")
	seconds     = flag.Float64("seconds", 5, "how long")
	warmup      = flag.Float64("warmup", 0.5, "how long before that")
)

const chunk = 256 * 1024

type clients struct {
	caps repb.CapabilitiesClient
	ac   repb.ActionCacheClient
	cas  repb.ContentAddressableStorageClient
	bs   bs.ByteStreamClient
}

// A blob that no other has: `size` random bytes with a number in front.
func blob(base []byte, number uint64) ([]byte, *repb.Digest) {
	data := make([]byte, len(base))
	copy(data, base)
	binary.BigEndian.PutUint64(data, number)
	return data, digestOf(data)
}

func digestOf(data []byte) *repb.Digest {
	sum := sha256.Sum256(data)
	return &repb.Digest{Hash: hex.EncodeToString(sum[:]), SizeBytes: int64(len(data))}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

var next atomic.Uint64

func number() uint64 { return next.Add(1) }

func (c *clients) write(ctx context.Context, data []byte, digest *repb.Digest) error {
	stream, err := c.bs.Write(ctx)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("uploads/%08x-0000-4000-8000-%012x/blobs/%s/%d", number(), number(), digest.Hash, digest.SizeBytes)
	for offset := 0; ; {
		end := min(offset+chunk, len(data))
		last := end == len(data)
		err := stream.Send(&bs.WriteRequest{ResourceName: name, WriteOffset: int64(offset), Data: data[offset:end], FinishWrite: last})
		if err == io.EOF || last {
			break
		}
		if err != nil {
			return err
		}
		name, offset = "", end
	}
	answer, err := stream.CloseAndRecv()
	if err == nil && answer.CommittedSize != digest.SizeBytes {
		err = fmt.Errorf("committed %d of %d", answer.CommittedSize, digest.SizeBytes)
	}
	return err
}

func (c *clients) read(ctx context.Context, digest *repb.Digest) error {
	stream, err := c.bs.Read(ctx, &bs.ReadRequest{ResourceName: fmt.Sprintf("blobs/%s/%d", digest.Hash, digest.SizeBytes)})
	if err != nil {
		return err
	}
	total := int64(0)
	for {
		answer, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		total += int64(len(answer.Data))
	}
	if total != digest.SizeBytes {
		return fmt.Errorf("read %d of %d", total, digest.SizeBytes)
	}
	return nil
}

// The operation to repeat, and the bytes that one moves.
func (c *clients) prepare(ctx context.Context) (func() error, int) {
	base := make([]byte, max(*size, 8))
	_, err := rand.Read(base)
	must(err)
	put := func() *repb.Digest {
		data, digest := blob(base, number())
		must(c.write(ctx, data, digest))
		return digest
	}
	some := func(n int) []*repb.Digest {
		digests := make([]*repb.Digest, n)
		for i := range digests {
			digests[i] = put()
		}
		return digests
	}
	switch *op {
	case "capabilities":
		return func() error { _, err := c.caps.GetCapabilities(ctx, &repb.GetCapabilitiesRequest{}); return err }, 0
	case "find":
		digests := some(*count / 2)
		for len(digests) < *count {
			_, digest := blob(base, number())
			digests = append(digests, digest)
		}
		return func() error {
			answer, err := c.cas.FindMissingBlobs(ctx, &repb.FindMissingBlobsRequest{BlobDigests: digests})
			if err == nil && len(answer.MissingBlobDigests) != *count-*count/2 {
				err = fmt.Errorf("%d are missing", len(answer.MissingBlobDigests))
			}
			return err
		}, 0
	case "batch-update":
		return func() error {
			request := &repb.BatchUpdateBlobsRequest{}
			for range *count {
				data, digest := blob(base, number())
				request.Requests = append(request.Requests, &repb.BatchUpdateBlobsRequest_Request{Digest: digest, Data: data})
			}
			answer, err := c.cas.BatchUpdateBlobs(ctx, request)
			if err == nil && (len(answer.Responses) != *count || answer.Responses[0].GetStatus().GetCode() != 0) {
				err = fmt.Errorf("not all stored")
			}
			return err
		}, *count * *size
	case "batch-read":
		digests := some(*count)
		return func() error {
			answer, err := c.cas.BatchReadBlobs(ctx, &repb.BatchReadBlobsRequest{Digests: digests})
			if err == nil && (len(answer.Responses) != *count || len(answer.Responses[0].Data) != *size) {
				err = fmt.Errorf("not all read")
			}
			return err
		}, *count * *size
	case "write":
		return func() error { data, digest := blob(base, number()); return c.write(ctx, data, digest) }, *size
	case "read":
		digests := some(max(1, min(16, 256*1024*1024 / *size)))
		return func() error { return c.read(ctx, digests[number()%uint64(len(digests))]) }, *size
	case "action-hit", "action-update":
		output := put()
		result := &repb.ActionResult{OutputFiles: []*repb.OutputFile{{Path: "out", Digest: output}}}
		key := digestOf([]byte("an action"))
		update := func(key *repb.Digest) error {
			_, err := c.ac.UpdateActionResult(ctx, &repb.UpdateActionResultRequest{ActionDigest: key, ActionResult: result})
			return err
		}
		if *op == "action-update" {
			return func() error { _, key := blob(base, number()); return update(key) }, 0
		}
		must(update(key))
		return func() error {
			_, err := c.ac.GetActionResult(ctx, &repb.GetActionResultRequest{ActionDigest: key})
			return err
		}, 0
	case "action-miss":
		return func() error {
			_, key := blob(base, number())
			_, err := c.ac.GetActionResult(ctx, &repb.GetActionResultRequest{ActionDigest: key})
			if err == nil {
				return fmt.Errorf("a hit")
			}
			return nil
		}, 0
	}
	log.Fatalf("there is no operation %q", *op)
	return nil, 0
}

// Repeats the operation until the time is over: how often, how often in vain, and how long it took.
func drive(operation func() error, duration float64) (int64, int64, float64) {
	var done, failed atomic.Int64
	var wait sync.WaitGroup
	start := time.Now()
	end := start.Add(time.Duration(duration * float64(time.Second)))
	for range *concurrency {
		wait.Go(func() {
			for time.Now().Before(end) {
				if err := operation(); err != nil {
					if failed.Add(1) == 1 {
						log.Print(err)
					}
				}
				done.Add(1)
			}
		})
	}
	wait.Wait()
	return done.Load(), failed.Load(), time.Since(start).Seconds()
}

func main() {
	flag.Parse()
	next.Store(uint64(time.Now().UnixNano()))
	connection, err := grpc.NewClient(*addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)))
	must(err)
	c := &clients{
		caps: repb.NewCapabilitiesClient(connection),
		ac:   repb.NewActionCacheClient(connection),
		cas:  repb.NewContentAddressableStorageClient(connection),
		bs:   bs.NewByteStreamClient(connection),
	}
	operation, bytes := c.prepare(context.Background())
	if *warmup > 0 {
		drive(operation, *warmup)
	}
	// The caller takes the server's CPU time between these two lines.
	fmt.Println("{\"state\":\"started\"}")
	done, failed, took := drive(operation, *seconds)
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"state": "ended", "op": *op, "operations": done, "errors": failed, "seconds": took, "bytes": int64(bytes) * done,
	}))
}
