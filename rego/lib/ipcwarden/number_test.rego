package ipcwarden.number_test

import data.ipcwarden.number

test_octal if {
	number.octal(438) == "0666"
	number.octal(0) == "0000"
	number.octal(1920) == "0600"
}

test_key if {
	number.key(0) == "IPC_PRIVATE"
	number.key(42) == "0x0000002a"
	number.key(-1) == "0xffffffff"
	number.key(-2147483648) == "0x80000000"
}

test_hexadecimal if {
	number.hexadecimal(0) == "0x0"
	number.hexadecimal(4096) == "0x1000"
	number.hexadecimal(18446744073709551615) == "0xffffffffffffffff"
}

test_address if {
	number.address("0x0") == 0
	number.address("0x1000") == 4096
	number.address("0xffffffffffffffff") == 18446744073709551615
}

test_address_and_back if {
	every text in ["0x7f00deadbeef", "0x1", "0x9abcdef012345678"] {
		number.hexadecimal(number.address(text)) == text
	}
}
