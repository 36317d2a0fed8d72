package doctor

import (
	"bytes"
	"debug/elf"
	"testing"
)

func TestProgram32IsAnI386Program(t *testing.T) {
	file, err := elf.NewFile(bytes.NewReader(program32()))
	if err != nil {
		t.Fatal(err)
	}
	if file.Class != elf.ELFCLASS32 || file.Machine != elf.EM_386 || file.Type != elf.ET_EXEC {
		t.Errorf("header %+v", file.FileHeader)
	}
	load := file.Progs[0]
	code := make([]byte, len(exit32))
	if _, err := load.ReadAt(code, int64(file.Entry-load.Vaddr)); err != nil || !bytes.Equal(code, exit32) {
		t.Errorf("code at the entry: % x, %v", code, err)
	}
}

func TestRuns32BitGivesAnAnswer(t *testing.T) {
	if _, err := runs32Bit(); err != nil {
		t.Error(err)
	}
}
