; The guest: a boot sector that proves that a virtual machine really ran from this disk.
;
; Assemble:  nasm -f bin -o boot.bin boot.asm
;
; The BIOS loads these 512 bytes to 0000:7C00 and jumps there in real mode, with the number of the disk they
; came from in DL. The program then
;   1. reads LBA 1, the challenge block that was uploaded a moment ago,
;   2. computes an answer from all 512 bytes of it,
;   3. writes the answer block to LBA 2 of the same disk,
;   4. says so on COM1,
;   5. stays alive for as many BIOS ticks as the challenge block asks for,
;   6. powers the machine off by APM.
; It needs nothing but BIOS services (INT 13h extensions, INT 1Ah, INT 15h) and COM1, so it runs from any disk
; the BIOS can boot: virtio, IDE, SATA, SCSI, on old and new machine types. Real mode with 32-bit registers:
; every processor since the 80386 has them.
;
; Challenge block, LBA 1 (numbers are little-endian)
;   0   16  magic "ovirt-challenge1"
;   16  16  id of the challenge
;   32  32  random bytes
;   64  4   hold time in BIOS ticks (18.2065 a second)
;   68  444 zero
; Answer block, LBA 2
;   0   16  magic "ovirt-answer-001"
;   16  16  id of the challenge that was answered
;   32  32  answer
;   64  448 zero
;
; The answer function. Four 32-bit words a, b, c, d start from constants of our own. Each of the 128 words of the
; challenge block is XORed into a, and the four are stirred by four quarter-rounds (add, XOR, rotate by 16, 12, 8
; and 7). After the last word eight answer words are drawn: stir, then a. Stirring is reversible, so two blocks
; that differ in any one bit leave different states; and no answer word is ever a word of the challenge.
; answer.py holds the same function for the side that checks.

        bits 16
        cpu 386
        org 0x7C00

CHALLENGE       equ 0x7E00              ; buffer for LBA 1, right behind this sector
ANSWER          equ 0x8000              ; buffer for LBA 2
BLOCK           equ 512
MAGIC           equ 16                  ; bytes of a magic, and of an id
ANSWER_AT       equ 32                  ; where the answer stands in its block
HOLD_AT         equ 64                  ; where the hold time stands in the challenge block
COM1            equ 0x3F8

start:                                  ; CS may be 0 or 07C0h: all jumps here are relative
        cli
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7C00
        sti
        cld
        mov     [drive], dl

; -- read the challenge
        mov     ah, 0x42
        mov     bx, CHALLENGE
        mov     cx, 1
        call    disk
        mov     si, says_unreadable
        jc      give_up
        mov     si, CHALLENGE
        mov     di, challenge_magic
        mov     cx, MAGIC
        repe    cmpsb
        mov     si, says_nothing
        jne     give_up

; -- lay out the answer block: zeros, magic, id
        mov     di, ANSWER
        mov     cx, BLOCK / 2
        xor     ax, ax
        rep     stosw
        mov     di, ANSWER
        mov     si, answer_magic
        mov     cx, MAGIC
        rep     movsb
        mov     si, CHALLENGE + MAGIC
        mov     cx, MAGIC
        rep     movsb                   ; DI now stands at ANSWER + ANSWER_AT

; -- compute the answer: EAX, EBX, ECX, EDX are a, b, c, d
        mov     eax, 0x7269766F
        mov     ebx, 0x65722D74
        mov     ecx, 0x7361656C
        mov     edx, 0x33302D65
        mov     si, CHALLENGE
absorb:
        xor     eax, [si]
        call    stir
        add     si, 4
        cmp     si, CHALLENGE + BLOCK
        jne     absorb
draw:
        call    stir
        stosd
        cmp     di, ANSWER + ANSWER_AT + 32
        jne     draw

; -- write it
        mov     ax, 0x4300              ; AL = 0: write without verify
        mov     bx, ANSWER
        mov     cx, 2
        call    disk
        mov     si, says_unwritable
        jc      give_up
        mov     si, says_answered
        call    say

; -- hold: count down by differences of the tick count, which starts again at 0 every midnight
        call    ticks
        mov     ebx, eax                ; EBX = tick count seen last
hold:
        cmp     dword [CHALLENGE + HOLD_AT], 0
        jle     off
        hlt                             ; until the next interrupt; the timer sends one with every tick
        call    ticks
        mov     ecx, eax
        sub     ecx, ebx
        jnc     forward
        mov     ecx, 1                  ; midnight
forward:
        mov     ebx, eax
        sub     [CHALLENGE + HOLD_AT], ecx
        jmp     hold

give_up:
        call    say                     ; powering off at once spares the waiting side its deadline

; -- power off: connect APM in real mode, ask for version 1.2, all devices to state "off"
off:
        mov     ax, 0x5301
        xor     bx, bx
        int     0x15
        mov     ax, 0x530E
        xor     bx, bx
        mov     cx, 0x0102
        int     0x15
        mov     ax, 0x5307
        mov     bx, 0x0001
        mov     cx, 0x0003
        int     0x15
asleep:                                 ; a BIOS without APM: the waiting side will pull the plug
        hlt
        jmp     asleep

; -- one sector: AX = 42xxh read or 43xxh write, BX = buffer, CX = block number; carry set on error
disk:
        mov     [packet_buffer], bx
        mov     [packet_block], cx
        mov     dl, [drive]
        mov     si, packet
        int     0x13
        ret

; -- EAX = BIOS ticks since midnight
ticks:
        xor     ah, ah
        int     0x1A                    ; CX:DX = ticks
        mov     ax, cx
        shl     eax, 16
        mov     ax, dx
        ret

; -- four quarter-rounds over EAX, EBX, ECX, EDX
stir:
        mov     bp, 4
.round:
        add     eax, ebx
        xor     edx, eax
        rol     edx, 16
        add     ecx, edx
        xor     ebx, ecx
        rol     ebx, 12
        add     eax, ebx
        xor     edx, eax
        rol     edx, 8
        add     ecx, edx
        xor     ebx, ecx
        rol     ebx, 7
        dec     bp
        jnz     .round
        ret

; -- send the zero-terminated text at SI to COM1
say:
        lodsb
        test    al, al
        jz      .done
        mov     ah, al
        xor     cx, cx                  ; 65536 looks at most: a stuck port must not keep us
.wait:
        mov     dx, COM1 + 5
        in      al, dx
        test    al, 0x20                ; transmitter empty?
        loopz   .wait
        mov     al, ah
        mov     dx, COM1
        out     dx, al
        jmp     say
.done:
        ret

challenge_magic db "ovirt-challenge1"
answer_magic    db "ovirt-answer-001"
says_answered   db "answered", 13, 10, 0
says_unreadable db "cannot read", 13, 10, 0
says_unwritable db "cannot write", 13, 10, 0
says_nothing    db "no challenge", 13, 10, 0
drive           db 0

        align 4, db 0
packet          db 16, 0                ; disk address packet of the INT 13h extensions
                dw 1                    ; one sector
packet_buffer   dw 0, 0                 ; offset, segment
packet_block    dq 0

        times 446 - ($ - $$) db 0       ; where a partition table would begin: we stay below, and leave it empty
        times 510 - ($ - $$) db 0
        dw 0xAA55
