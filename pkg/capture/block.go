package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// headBytes is the head of a block: length packed, length unpacked, checksum.
const headBytes = 12

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendHead appends the head of a block.
func appendHead(b, packed []byte, unpacked int) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(packed)))
	b = binary.LittleEndian.AppendUint32(b, uint32(unpacked))
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:], packed))
}

func checksum(lengths, packed []byte) uint32 {
	return crc32.Update(crc32.Checksum(lengths, castagnoli), castagnoli, packed)
}

// readBlock reads the next block as it is packed, into buf if that has room. At the
// end of r it returns io.EOF, and io.ErrUnexpectedEOF if r ends within the block.
func readBlock(r io.Reader, buf []byte) (packed []byte, unpacked int, err error) {
	var head [headBytes]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, 0, err
	}
	size, full := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint32(head[4:])
	if size > maxBlockBytes || full > maxBlockBytes {
		return nil, 0, fmt.Errorf("it has %d bytes, %d unpacked: more than %d", size, full, maxBlockBytes)
	}
	if int(size) > cap(buf) {
		buf = make([]byte, size)
	}
	packed = buf[:size]
	if _, err := io.ReadFull(r, packed); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, 0, err
	}
	if checksum(head[:8], packed) != binary.LittleEndian.Uint32(head[8:]) {
		return nil, 0, errors.New("its checksum is wrong")
	}
	return packed, int(full), nil
}
